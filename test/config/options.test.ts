import { describe, expect, it } from 'vitest'
import { optionSpecs, toSnakeCase, type OptionName } from '../../src/config/option-table.ts'
import {
  fromCode,
  fromEnvironment,
  fromFlags,
  resolveOptions,
  type OptionSource,
} from '../../src/config/resolve-options.ts'
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

const choice = (fallback: string, ...choices: readonly string[]): Cases => ({
  default: fallback,
  good: choices,
  bad: [...choices.map((word) => word.toUpperCase()), '', 1, true, [choices[0]], `${choices[0]} `],
  goodText: choices.map((word) => [word, word] as const),
  badText: [...choices.map((word) => word.toUpperCase()), '', 'none'],
})

const cases: Readonly<Record<OptionName, Cases>> = {
  projectName: text('codecarbon'),
  measurePowerSecs: number(15, 0.01),
  apiCallInterval: {
    default: 8,
    good: [-1, 0, 1, 100],
    bad: [-2, 0.5, NaN, '8', Infinity],
    goodText: [
      ['-1', -1],
      ['30', 30],
    ],
    badText: ['0.5', '-2', '', 'often'],
  },
  experimentId: text('5b0fa12a-3dd7-45bb-9766-cc326314d9f1'),
  experimentName: text('base'),
  outputDir: text('.'),
  outputFile: text('emissions.csv'),
  outputMethods: {
    default: ['csv'],
    good: [['csv'], [], ['csv', 'csv'], 'csv'],
    bad: [['CSV'], ['csv', 'nothing'], 'nothing', [1], 7, {}],
    goodText: [
      ['csv', ['csv']],
      [' csv , csv', ['csv', 'csv']],
      ['', []],
    ],
    badText: ['CSV', 'csv nothing', 'csv;csv'],
  },
  saveToFile: switchOf(true),
  onCsvWrite: choice('append', 'append', 'update'),
  csvSchema: choice('codecarbon', 'codecarbon', 'extended'),
  trackingMode: choice('machine', 'machine', 'process'),
  logLevel: choice('info', 'debug', 'info', 'warning', 'error', 'critical'),
  loggerPreamble: text(''),
  forceCpuPower: number(undefined, 0),
  forceRamPower: number(undefined, 0),
  forceModeCpuLoad: switchOf(false),
  cpuModel: text(undefined),
  cpuMaxWatts: number(undefined, 0.001),
  cpuIdleWatts: number(undefined, 0),
  pue: number(1, 1),
  wue: number(0, 0),
  forceCarbonIntensityGCo2eKwh: number(undefined, 0),
  raplIncludeDram: switchOf(true),
  raplPreferPsys: switchOf(false),
  procfsPath: text('/proc'),
  sysfsPath: text('/sys'),
  offline: switchOf(false),
  countryIsoCode: text(undefined),
  region: text(undefined),
  cloudProvider: text(undefined),
  cloudRegion: text(undefined),
}

/** The option as each source gives and spells it. */
const sources: readonly (readonly [
  string,
  (name: string, value: string) => [OptionSource, spelling: string],
])[] = [
  [
    'the environment',
    (name, value) => {
      const variable = `CODECARBON_${toSnakeCase(name).toUpperCase()}`
      return [fromEnvironment({ [variable]: value }), variable]
    },
  ],
  ['a flag', (name, value) => [fromFlags({ [name]: value }), `--${toSnakeCase(name).replaceAll('_', '-')}`]],
]

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
        const expected = name === 'outputMethods' && typeof value === 'string' ? value.split(',') : value
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

    it.each(sources)('refuses what is bad as text, by the name it has there: %s', (_, give) => {
      for (const word of badText) {
        const [source, spelling] = give(name, word)
        const message = complaintOf(() => valueOf(name, source))
        expect(message.startsWith(`${spelling}: expected `), message).toBe(true)
        expect(message).toContain(`got "${word}"`)
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
    expect(warnings).toEqual([expect.stringMatching(/^CODECARBON_PUE: expected .*"much".*overrides/)])
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
    expect(warnings).toEqual([`${variable.toUpperCase()}: there is no such option; did you mean ${nearest}?`])
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
