import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config/config-file.ts'
import {
  fromCode,
  fromEnvironment,
  fromFile,
  fromFlags,
  type OptionSource,
} from '../../src/config/option-source.ts'
import { optionSpecs, optionTable, type OptionName } from '../../src/config/option-table.ts'
import { resolveOptions } from '../../src/config/resolve-options.ts'
import { toFlag, toSnakeCase, toVariable } from '../../src/config/spelling.ts'
import { ConfigError } from '../../src/core/errors.ts'

/** What is accepted and refused of each option: values of its own type, and texts as files and flags give them. */
interface Cases {
  readonly default: unknown
  /** Given in code. */
  readonly good: readonly unknown[]
  readonly bad: readonly unknown[]
  /** Given as text, and what it means. */
  readonly goodText: readonly (readonly [text: string, value: unknown])[]
  readonly badText: readonly string[]
}

const text = (fallback: string | undefined): Cases => ({
  default: fallback,
  good: ['x', '', 'Zürich, "东京" = 100 %', ' a '],
  bad: [1, true, ['x'], {}, () => 'x'],
  goodText: [
    ['x', 'x'],
    ['', ''],
    ['# a; b = c', '# a; b = c'],
  ],
  badText: [],
})

const switchOf = (fallback: boolean): Cases => ({
  default: fallback,
  good: [true, false],
  bad: ['true', 'False', 1, 0, 'yes', [], {}],
  goodText: [
    ...['true', 'True', 'TRUE', '1', 'yes', 'Yes', 'on', ' on '].map((word) => [word, true] as const),
    ...['false', 'False', '0', 'no', 'NO', 'off'].map((word) => [word, false] as const),
  ],
  badText: ['', '2', 'ja', 'truee', 'null', 'constructor', 'toString'],
})

const number = (fallback: number | undefined, min: number): Cases => ({
  default: fallback,
  good: [min, min + 0.5, 1e6],
  bad: [min - 0.001, -Infinity, Infinity, NaN, String(min), true, [min], {}, 10n],
  goodText: [
    [String(min), min],
    [` ${min + 1} `, min + 1],
    ['1e3', 1000],
  ],
  badText: ['', ' ', 'abc', '1,5', '5 W', 'NaN', 'Infinity', '-1e9', String(min - 0.001)],
})

/** An address that secrets are sent to. */
const secureUrl: Cases = {
  default: undefined,
  good: ['https://bmc.example', 'https://127.0.0.1:8443'],
  bad: ['', 'bmc.example', 'http://bmc.example', 'https://root:secret@bmc.example', 7],
  goodText: [['https://bmc.example', 'https://bmc.example']],
  badText: ['', 'bmc.example', 'http://bmc.example'],
}

const choice = (fallback: string, ...choices: readonly string[]): Cases => ({
  default: fallback,
  good: choices,
  bad: [...choices.map((word) => word.toUpperCase()), '', 1, true, [choices[0]], `${choices[0]} `],
  goodText: choices.map((word) => [word, word] as const),
  badText: [...choices.map((word) => word.toUpperCase()), '', 'none'],
})

const url = (fallback: string | undefined): Cases => ({
  default: fallback,
  good: ['https://api.example.org', 'http://127.0.0.1:8000/base?x=1#y'],
  bad: ['', 'localhost:9091', 'ftp://example.org', 'file:///etc/passwd', 'javascript:1', 7, {}],
  goodText: [['https://api.example.org', 'https://api.example.org']],
  badText: ['', 'api.example.org', 'http://', '//example.org'],
})

const notEmpty = (fallback: string | undefined): Cases => ({
  ...text(fallback),
  good: ['x', 'Zürich, "东京" = 100 %', ' a '],
  bad: [...text(fallback).bad, '', ' '],
  goodText: [['# a; b = c', '# a; b = c']],
  badText: ['', ' '],
})

const cases: Readonly<Record<OptionName, Cases>> = {
  projectName: text('codecarbon'),
  measurePowerSecs: number(15, 0.01),
  apiCallInterval: {
    default: 8,
    good: [-1, 1, 100],
    bad: [-2, 0, 0.5, NaN, '8', Infinity],
    goodText: [
      ['-1', -1],
      ['30', 30],
    ],
    badText: ['0.5', '-2', '0', '', 'often'],
  },
  trackingMode: choice('machine', 'machine', 'process'),
  attribution: choice('shared', 'shared', 'precise'),
  scopeLabels: {
    default: [],
    good: [['tenant'], 'tenant,model', ['gen_ai.model'], []],
    bad: [['1st'], ['a b'], [7], 7, {}, 'queue', 'a-b', ['le']],
    goodText: [
      ['tenant', ['tenant']],
      [' tenant , model,tenant', ['tenant', 'model']],
    ],
    badText: ['a b', 'kind', '9'],
  },
  allowMultipleRuns: switchOf(true),
  experimentId: text('5b0fa12a-3dd7-45bb-9766-cc326314d9f1'),
  experimentName: text('base'),
  offline: switchOf(false),
  outputMethods: {
    default: ['csv'],
    good: [['csv'], [], ['csv', 'jsonl'], 'csv', 'csv,api'],
    bad: [['CSV'], ['csv', 'nothing'], 'nothing', [1], 7, {}],
    goodText: [
      ['csv', ['csv']],
      [' csv , csv', ['csv']],
      ['csv,prometheus_pull', ['csv', 'prometheus_pull']],
    ],
    badText: ['CSV', 'csv nothing', 'csv;csv', 'Api'],
  },
  outputDir: text('.'),
  outputFile: notEmpty('emissions.csv'),
  onCsvWrite: choice('append', 'append', 'update'),
  csvSchema: choice('codecarbon', 'codecarbon', 'extended'),
  summaryFile: notEmpty(undefined),
  emissionsEndpoint: url(undefined),
  integrations: text('all'),
  mlflowAutoLog: switchOf(true),
  countryIsoCode: text(undefined),
  country2letterIsoCode: text(undefined),
  region: text(undefined),
  cloudProvider: text(undefined),
  cloudRegion: text(undefined),
  locateBy: {
    default: ['environment', 'time-zone'],
    good: [['cloud'], [], ['environment', 'cloud', 'time-zone', 'ip']],
    bad: [['gps'], 'gps', 7, {}],
    goodText: [['cloud, ip', ['cloud', 'ip']]],
    badText: ['gps', 'Cloud', 'cloud ip'],
  },
  forceCarbonIntensityGCo2eKwh: number(undefined, 0),
  intensitySource: choice('auto', 'auto', 'electricitymaps', 'uk', 'rte', 'table'),
  electricitymapsZone: text(undefined),
  electricitymapsApiToken: text(undefined),
  pue: number(1, 1),
  wue: number(0, 0),
  marketCarbonIntensityGCo2eKwh: number(undefined, 0),
  embodiedEmissionsKg: number(undefined, 0),
  embodiedLifespanYears: number(4, 0.1),
  embodiedShare: {
    default: undefined,
    good: [0, 0.25, 1],
    bad: [-0.1, 1.001, NaN, '0.5', true],
    goodText: [
      ['0.5', 0.5],
      [' 1 ', 1],
    ],
    badText: ['', '50 %', '1.1', '-1'],
  },
  functionalUnit: notEmpty('unit'),
  functionalUnits: number(undefined, 0),
  forceCpuPower: number(undefined, 0),
  forceRamPower: number(undefined, 0),
  forceModeCpuLoad: switchOf(false),
  cpuModel: notEmpty(undefined),
  cpuMaxWatts: number(undefined, 0.001),
  cpuIdleWatts: number(undefined, 0),
  cpuPowerModel: choice('default', 'default', 'codecarbon', 'constant'),
  gpuIds: {
    default: undefined,
    good: [[0, 1], ['GPU-abc', 2], [], ['MIG-f1e'], ['MIG-GPU-8a56a4bc/1/0']],
    bad: [[-1], [0.5], [{}], true, {}, ['a b'], ['$x'], 'foo', '-1', '', [''], 'GPU-', 'MIG-'],
    goodText: [
      ['0', [0]],
      ['0, 1,2', [0, 1, 2]],
      ['[0, 1, 2]', [0, 1, 2]],
      ['[0, 1, 2', [0, 1, 2]],
      [`['GPU-abc', "MIG-1"]`, ['GPU-abc', 'MIG-1']],
    ],
    badText: ['0;1', 'GPU abc', '-1.5', '$'],
  },
  redfishUrl: secureUrl,
  redfishUser: text(undefined),
  redfishPassword: text(undefined),
  redfishChassis: text(undefined),
  redfishCaFile: notEmpty(undefined),
  ipmi: switchOf(false),
  raplIncludeDram: switchOf(true),
  raplPreferPsys: switchOf(false),
  procfsPath: notEmpty('/proc'),
  sysfsPath: notEmpty('/sys'),
  nvmlLibraryPath: notEmpty(undefined),
  prometheusPort: {
    default: undefined,
    good: [0, 12044, 65535],
    bad: [-1, 65536, 1.5, '80', NaN],
    goodText: [['12044', 12044]],
    badText: ['', '70000', '-1', 'http', '0x1F'],
  },
  prometheusHost: notEmpty('127.0.0.1'),
  webConfigFile: notEmpty(undefined),
  prometheusUrl: notEmpty('localhost:9091'),
  prometheusDeleteAtEnd: switchOf(true),
  prometheusTextfile: {
    default: undefined,
    good: ['/var/lib/node_exporter/codecarbon.prom', 'a.prom'],
    bad: ['', 'metrics.txt', 'a.prom.tmp', 'a\0.prom', 7, {}],
    goodText: [['a b.prom', 'a b.prom']],
    badText: ['', 'metrics.txt', 'PROM'],
  },
  hostReporter: choice('auto', 'auto', 'always', 'never'),
  hostReporterGroup: notEmpty('default'),
  prometheusCompatNames: switchOf(false),
  otlp: switchOf(false),
  apiEndpoint: url('https://api.codecarbon.io'),
  apiKey: text(undefined),
  organizationId: text(undefined),
  projectId: text(undefined),
  logLevel: {
    default: 'info',
    good: ['debug', 'info', 'warning', 'error', 'critical'],
    bad: ['loud', '', 15, -10, true, {}, NaN],
    goodText: [
      ['INFO', 'info'],
      [' Warn ', 'warning'],
      ['fatal', 'critical'],
      ['notset', 'debug'],
      ['0', 'debug'],
      ['40', 'error'],
    ],
    badText: ['', '15', 'loud', 'constructor'],
  },
  loggerPreamble: text(''),
  saveToFile: switchOf(true),
  saveToApi: switchOf(false),
  saveToLogger: switchOf(false),
  saveToPrometheus: switchOf(false),
  saveToLogfire: switchOf(false),
}

/** Options whose value must not appear in any message. */
const secrets = optionSpecs.filter(([, spec]) => spec.secret === true).map(([name]) => name as string)

/** The option as each source gives and spells it. */
const sources: readonly (readonly [
  string,
  (name: string, value: string) => [OptionSource, spelling: string],
])[] = [
  [
    'a file in the home directory',
    (name, value) => {
      const key = toSnakeCase(name)
      const { entries } = parseConfig(
        `[codecarbon]\n${key} = ${inFile(value)}\n`,
        '/home/ada/.codecarbon.config',
      )
      return [fromFile('home', entries), `/home/ada/.codecarbon.config:2: ${key}`]
    },
  ],
  ['the environment', (name, value) => [fromEnvironment({ [toVariable(name)]: value }), toVariable(name)]],
  ['a flag', (name, value) => [fromFlags({ [name]: value }), toFlag(name)]],
]

/** A file takes off the white space around a value and one pair of quotes around all of it. */
const inFile = (value: string): string => (/^\s|\s$|^(["']).*\1$/.test(value) ? `"${value}"` : value)

const valueOf = (name: string, ...given: readonly OptionSource[]): unknown =>
  resolveOptions(...given).options[name as OptionName]

const codeWith = (name: string, value: unknown): OptionSource => fromCode({ [name]: value })

/** The message of the ConfigError of an action. */
function complaintOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  return expect.fail('nothing was refused')
}

it('is told here of every option there is', () => {
  expect(Object.keys(cases).toSorted()).toEqual(optionSpecs.map(([name]) => name as string).toSorted())
})

describe.each(Object.entries(cases))(
  'option %s',
  (name, { default: fallback, good, bad, goodText, badText }) => {
    it('has its default', () => {
      expect(valueOf(name)).toEqual(fallback)
      expect(valueOf(name, codeWith(name, undefined))).toEqual(fallback)
      expect(valueOf(name, codeWith(name, null))).toEqual(fallback)
    })

    it('takes what is good in code', () => {
      for (const value of good) {
        const expected =
          ['outputMethods', 'scopeLabels'].includes(name) && typeof value === 'string'
            ? value.split(',')
            : value
        expect(valueOf(name, codeWith(name, value))).toEqual(expected)
      }
    })

    it('refuses what is bad in code, by its name', () => {
      for (const value of bad) {
        const message = complaintOf(() => valueOf(name, codeWith(name, value)))
        expect(message).toMatch(new RegExp(`^option ${name}: expected .+, got .+`))
      }
    })

    it.each(sources)('takes what is good as text: %s', (_, give) => {
      for (const [word, value] of goodText) expect(valueOf(name, give(name, word)[0]), word).toEqual(value)
    })

    it.each(sources)('refuses what is bad as text, by the name it has there: %s', (place, give) => {
      for (const word of badText) {
        // An empty variable is one that is not set.
        if (word === '' && place === 'the environment' && optionTable[name as OptionName].type !== 'text')
          continue
        const [source, spelling] = give(name, word)
        const message = complaintOf(() => valueOf(name, source))
        expect(message.startsWith(`${spelling}: expected `), message).toBe(true)
        if (!secrets.includes(name)) expect(message).toContain(`got "${word}"`)
      }
    })

    it('has a line of help', () => {
      const [, spec] = optionSpecs.find(([known]) => known === name) ?? expect.fail()
      expect(spec.help).toMatch(/^[^.\n]{10,}$/)
    })
  },
)

describe('several sources', () => {
  const environment = fromEnvironment({ CODECARBON_PUE: '1.2', CODECARBON_PROJECT_NAME: 'outside' })

  it('override each other in their order, option by option', () => {
    const { options, warnings } = resolveOptions(environment, fromCode({ pue: 1.5 }))
    expect(options).toMatchObject({ pue: 1.5, projectName: 'outside', wue: 0 })
    expect(warnings).toEqual([])
  })

  it('make a bad value a warning where a later one overrides it', () => {
    const bad = fromEnvironment({ CODECARBON_PUE: 'much' })
    const { options, warnings } = resolveOptions(bad, fromCode({ pue: 1.5 }))
    expect(options.pue).toBe(1.5)
    expect(warnings).toEqual([
      'CODECARBON_PUE: expected a number of at least 1, got "much"; option pue overrides it',
    ])
  })

  it('refuse a bad value that overrides a good one', () => {
    expect(complaintOf(() => resolveOptions(environment, fromFlags({ pue: 'much' })))).toMatch(/^--pue: /)
  })

  it('are not hidden by undefined', () => {
    expect(valueOf('pue', environment, fromCode({ pue: undefined }))).toBe(1.2)
  })

  it('keep a 0 and an empty text as values', () => {
    const lower = fromEnvironment({ CODECARBON_FORCE_RAM_POWER: '8', CODECARBON_LOGGER_PREAMBLE: 'x' })
    const { options } = resolveOptions(lower, fromCode({ forceRamPower: 0, loggerPreamble: '' }))
    expect(options).toMatchObject({ forceRamPower: 0, loggerPreamble: '' })
  })
})

describe('the environment', () => {
  it('is read in any case', () => {
    expect(valueOf('measurePowerSecs', fromEnvironment({ codecarbon_Measure_POWER_secs: '3' }))).toBe(3)
  })

  it('keeps what others need as it is, whatever they call it', () => {
    const { warnings } = resolveOptions(fromEnvironment({ PATH: '/bin', XCODECARBON_PUE: '9', PUE: '9' }))
    expect(warnings).toEqual([])
  })

  it.each([
    ['CODECARBON_PROJECTNAME', 'CODECARBON_PROJECT_NAME'],
    ['CODECARBON_MESURE_POWER_SECS', 'CODECARBON_MEASURE_POWER_SECS'],
    ['codecarbon_country_isocode', 'CODECARBON_COUNTRY_ISO_CODE'],
  ])('with an unknown variable is a warning with the nearest one: %s', (variable, nearest) => {
    const { warnings } = resolveOptions(fromEnvironment({ [variable]: 'x' }))
    expect(warnings).toEqual([`${variable}: there is no such option; did you mean ${nearest}?`])
  })

  it('with a variable like nothing is a warning without a guess', () => {
    const { warnings } = resolveOptions(fromEnvironment({ CODECARBON_XYZZY: 'x' }))
    expect(warnings).toEqual(['CODECARBON_XYZZY: there is no such option'])
  })

  it('takes no variable for a property of every object', () => {
    const { warnings } = resolveOptions(fromEnvironment({ CODECARBON_CONSTRUCTOR: 'x' }))
    expect(warnings).toEqual(['CODECARBON_CONSTRUCTOR: there is no such option'])
  })
})

it('takes an empty variable for one that is not set, but for texts', () => {
  const { options } = resolveOptions(
    fromEnvironment({ CODECARBON_PUE: '', CODECARBON_OFFLINE: '', CODECARBON_LOGGER_PREAMBLE: '' }),
  )
  expect(options).toMatchObject({ pue: 1, offline: false, loggerPreamble: '' })
})

it('tells all that is wrong at once, with the nearest right word', () => {
  const wrong = fromEnvironment({ CODECARBON_PUE: 'x', CODECARBON_TRACKING_MODE: 'proces' })
  expect(complaintOf(() => resolveOptions(wrong)).split('\n')).toEqual([
    'CODECARBON_PUE: expected a number of at least 1, got "x"',
    'CODECARBON_TRACKING_MODE: expected machine or process, got "proces"; did you mean process?',
  ])
})

describe('code', () => {
  it.each([
    ['projectname', 'projectName'],
    ['measurePowerSec', 'measurePowerSecs'],
    ['country_iso_code', 'countryIsoCode'],
  ])('with an unknown option is an error with the nearest one: %s', (name, nearest) => {
    expect(complaintOf(() => resolveOptions(codeWith(name, 1)))).toBe(
      `option ${name}: there is no such option; did you mean option ${nearest}?`,
    )
  })

  it('is not changed: neither the options nor their lists', () => {
    const options = Object.freeze({ outputMethods: Object.freeze(['csv'] as const) })
    expect(resolveOptions(fromCode(options)).options.outputMethods).toEqual(['csv'])
  })
})

it('hands out options that nobody can change for others', () => {
  const [first, second] = [resolveOptions().options, resolveOptions().options]
  expect(first).not.toBe(second)
  expect(first).toEqual(second)
})

describe('an older name', () => {
  it.each([
    ['co2_signal_api_token', 'electricitymapsApiToken', 'abc', 'abc'],
    ['default_cpu_power', 'forceCpuPower', '90', 90],
  ])('is understood, with the new one: %s', (key, name, word, value) => {
    const variable = `CODECARBON_${key.toUpperCase()}`
    const { options, warnings } = resolveOptions(fromEnvironment({ [variable]: word }))
    expect(options[name as OptionName]).toBe(value)
    expect(warnings).toContain(`${variable}: this option is called ${toVariable(name)} now`)
  })

  it('gives way to the new one in the same place, and to any in a higher place', () => {
    const both = { CODECARBON_DEFAULT_CPU_POWER: '90', CODECARBON_FORCE_CPU_POWER: '70' }
    const { options, warnings } = resolveOptions(fromEnvironment(both))
    expect(options.forceCpuPower).toBe(70)
    expect(warnings).toEqual([
      expect.stringMatching(/^CODECARBON_DEFAULT_CPU_POWER: .*given too and counts$/),
    ])
    const old = fromEnvironment({ CODECARBON_DEFAULT_CPU_POWER: '90' })
    expect(resolveOptions(old, fromCode({ forceCpuPower: 60 })).options.forceCpuPower).toBe(60)
  })

  it('is understood in code, in camelCase', () => {
    expect(valueOf('forceCpuPower', codeWith('defaultCpuPower', 90))).toBe(90)
  })

  it('that means nothing any more changes nothing, and says so', () => {
    const { warnings } = resolveOptions(fromEnvironment({ CODECARBON_MISFIRE_GRACE_TIME: '3' }))
    expect(warnings).toEqual([expect.stringContaining('CODECARBON_MISFIRE_GRACE_TIME: this option is gone')])
  })
})

it('says of an option that it changes nothing without another one', () => {
  expect(resolveOptions(fromEnvironment({ CODECARBON_REDFISH_PASSWORD: 'secret' })).warnings).toEqual([
    'CODECARBON_REDFISH_PASSWORD changes nothing without redfish_user',
  ])
  const whole = { redfishUrl: 'https://bmc.example', redfishUser: 'reader', redfishPassword: 'secret' }
  expect(resolveOptions(fromCode(whole)).warnings).toEqual([])
})

describe('where figures go', () => {
  const outputs = (options: object): readonly string[] =>
    resolveOptions(fromCode(options)).options.outputMethods

  it.each([
    [{}, ['csv']],
    [{ saveToFile: false }, []],
    [{ saveToApi: true }, ['csv', 'api']],
    [{ saveToFile: false, saveToLogger: true, saveToPrometheus: true }, ['logger', 'prometheus']],
    [{ outputMethods: ['csv'], saveToApi: true }, ['csv']],
    [{ outputMethods: [], saveToFile: true }, []],
    [{ prometheusPort: 12044 }, ['csv', 'prometheus_pull']],
    [{ outputMethods: ['api'], prometheusPort: 0 }, ['api', 'prometheus_pull']],
    [{ otlp: true }, ['csv', 'otlp']],
  ])('is said by %j: %j', (options, expected) => {
    expect(outputs(options)).toEqual(expected)
  })

  it('by the older options is deprecated', () => {
    expect(resolveOptions(fromCode({ saveToFile: true })).warnings).toEqual([
      'option saveToFile: this option is deprecated; use output_methods',
    ])
    expect(resolveOptions(fromCode({ saveToFile: true, outputMethods: [] })).warnings).toEqual([
      'option saveToFile: this option is deprecated; use output_methods, which is given and counts',
    ])
  })
})

it('says of options that nothing uses yet, once for each thing they wait for', () => {
  const { warnings } = resolveOptions(
    fromEnvironment({
      CODECARBON_API_KEY: 'abcdef',
      CODECARBON_ORGANIZATION_ID: 'o',
      CODECARBON_PROJECT_ID: 'p',
      CODECARBON_PROMETHEUS_URL: 'gateway:9091',
      CODECARBON_OUTPUT_METHODS: 'prometheus',
    }),
  )
  expect(warnings).toEqual([
    'the CodeCarbon API: not in this version, so nothing comes of CODECARBON_ORGANIZATION_ID, CODECARBON_PROJECT_ID',
  ])
  expect(warnings.join()).not.toContain('abcdef')
})

it('refuses idle watts that are not below those of full load', () => {
  expect(complaintOf(() => resolveOptions(fromCode({ cpuIdleWatts: 60, cpuMaxWatts: 20 })))).toBe(
    'option cpuIdleWatts: expected less than the 20 W of cpu_max_watts, got 60',
  )
})

it('does not show the password in an address', () => {
  expect(complaintOf(() => resolveOptions(codeWith('apiEndpoint', 'ftp://ada:hunter2@host/x')))).toBe(
    'option apiEndpoint: expected an address that begins with http:// or https://, got "ftp://***@host/x"',
  )
})

it('keeps a message on one line whatever the value', () => {
  expect(complaintOf(() => resolveOptions(fromEnvironment({ CODECARBON_PUE: '1\n2\u001B[2J' })))).toBe(
    'CODECARBON_PUE: expected a number of at least 1, got "1\\n2\\u001b[2J"',
  )
})

it('does not show a secret that is wrong', () => {
  expect(complaintOf(() => resolveOptions(codeWith('apiKey', 123456)))).toBe(
    'option apiKey: expected a text, got a number that is not shown',
  )
})

describe('where a value comes from', () => {
  it('is known of every option', () => {
    const file = parseConfig('# mine\n[codecarbon]\npue = 1.1\nwue: 2\n', '/home/ada/.codecarbon.config')
    const { origins } = resolveOptions(
      fromFile('home', file.entries),
      fromEnvironment({ codecarbon_wue: '3' }),
      fromFlags({ region: 'Quebec' }),
    )
    expect(origins.pue).toEqual({
      kind: 'home',
      where: '/home/ada/.codecarbon.config:3: pue',
      path: '/home/ada/.codecarbon.config',
      line: 3,
    })
    expect(origins.wue).toMatchObject({ kind: 'environment', where: 'codecarbon_wue' })
    expect(origins.region).toMatchObject({ kind: 'command line', where: '--region' })
    expect(origins.projectName).toEqual({ kind: 'default' })
  })

  it('is told where one place gives it twice', () => {
    const { entries } = parseConfig('[codecarbon]\npue = 1.1\nPUE = 1.2\n', '/c')
    const { options, warnings } = resolveOptions(fromFile('home', entries))
    expect(options.pue).toBe(1.2)
    expect(warnings).toEqual(['/c:2: pue: given again by /c:3: PUE, which counts'])
  })
})
