/**
 * Every option once: name, type, default, range and help. `measurePowerSecs` here is `measure_power_secs` in files,
 * `CODECARBON_MEASURE_POWER_SECS` in the environment and `--measure-power-secs` on the command line.
 */
export const optionTable = {
  /** Label written to every output. */
  projectName: { type: 'text', default: 'codecarbon', help: 'label written to every output' },
  /** Seconds between measurements. */
  measurePowerSecs: { type: 'number', default: 15, min: 0.01, help: 'seconds between measurements' },
  /** Measurements between two calls of the live hook of output handlers; -1: only at flush and stop. */
  apiCallInterval: {
    type: 'integer',
    default: 8,
    min: -1,
    help: 'measurements between two live reports to output handlers; -1: only at flush and stop',
  },
  /** Experiment that the run belongs to, as in the CodeCarbon API. */
  experimentId: {
    type: 'text',
    default: '5b0fa12a-3dd7-45bb-9766-cc326314d9f1',
    help: 'experiment that the run belongs to',
  },
  /** Name of the experiment, part of the name of the file of tasks. */
  experimentName: {
    type: 'text',
    default: 'base',
    help: 'name of the experiment, in the name of the file of tasks',
  },
  /** Folder for output files; made where it is missing. */
  outputDir: { type: 'text', default: '.', help: 'folder for output files; made where it is missing' },
  /** Name of the CSV file. */
  outputFile: { type: 'text', default: 'emissions.csv', help: 'name of the CSV file' },
  /** Where figures go. */
  outputMethods: { type: 'list', default: ['csv'], choices: ['csv'], help: 'where figures go' },
  /** Write the CSV file. */
  saveToFile: { type: 'switch', default: true, help: 'write the CSV file' },
  /** Whether a run adds a row at each flush and stop, or keeps one row up to date. */
  onCsvWrite: {
    type: 'choice',
    default: 'append',
    choices: ['append', 'update'],
    help: 'add a row at each flush and stop, or keep one row a run up to date',
  },
  /** The 38 columns of CodeCarbon, or those and ours: intervals, methods, sources. */
  csvSchema: {
    type: 'choice',
    default: 'codecarbon',
    choices: ['codecarbon', 'extended'],
    help: 'the 38 columns of CodeCarbon, or those and ours after them',
  },
  /** Track the whole machine, or the share of this process and its children. */
  trackingMode: {
    type: 'choice',
    default: 'machine',
    choices: ['machine', 'process'],
    help: 'the whole machine, or the share of the process and its children',
  },
  /** Least severe messages to be printed on stderr. */
  logLevel: {
    type: 'choice',
    default: 'info',
    choices: ['debug', 'info', 'warning', 'error', 'critical'],
    help: 'least severe messages to be printed on stderr',
  },
  /** Text put into each line of the log. */
  loggerPreamble: { type: 'text', default: '', help: 'text put into each line of the log' },
  /** TDP of the machine's processors together, in watts; also turns hardware counters off for them. */
  forceCpuPower: {
    type: 'number',
    min: 0,
    help: 'TDP of the processors together in watts; estimates instead of reading counters',
  },
  /** Power of the memory, in watts, taken as it is. */
  forceRamPower: { type: 'number', min: 0, help: 'power of the memory in watts, taken as it is' },
  /** Estimate the processors' power from their load even where a counter could be read. */
  forceModeCpuLoad: {
    type: 'switch',
    default: false,
    help: 'estimate the processors from their load even where a counter can be read',
  },
  /** Name of the processor, where the system gives a wrong one or none. */
  cpuModel: { type: 'text', help: 'name of the processor, where the system gives a wrong one or none' },
  /** Watts of all processors at full load, for the estimate. */
  cpuMaxWatts: { type: 'number', min: 0.001, help: 'watts of all processors at full load, for the estimate' },
  /** Watts of all processors at idle, for the estimate. */
  cpuIdleWatts: { type: 'number', min: 0, help: 'watts of all processors at idle, for the estimate' },
  /** Power usage effectiveness of the data centre: multiplies every energy. */
  pue: { type: 'number', default: 1, min: 1, help: 'power usage effectiveness of the data centre' },
  /** Water usage effectiveness of the data centre, in litres per kWh. */
  wue: { type: 'number', default: 0, min: 0, help: 'water usage effectiveness in litres per kWh' },
  /** Carbon intensity in gCO2e/kWh, in place of any table. */
  forceCarbonIntensityGCo2eKwh: {
    type: 'number',
    min: 0,
    help: 'carbon intensity in gCO2e/kWh, in place of any table',
  },
  /** Measure memory by its own counter where there is one. */
  raplIncludeDram: {
    type: 'switch',
    default: true,
    help: 'measure memory by its own counter where there is one',
  },
  /** Let the whole-platform counter stand for processors and memory. */
  raplPreferPsys: {
    type: 'switch',
    default: false,
    help: 'let the whole-platform counter stand for processors and memory',
  },
  /** Where procfs is mounted. */
  procfsPath: { type: 'text', default: '/proc', help: 'where procfs is mounted' },
  /** Where sysfs is mounted. */
  sysfsPath: { type: 'text', default: '/sys', help: 'where sysfs is mounted' },
  /** Make no network connection at all. */
  offline: {
    type: 'switch',
    default: false,
    help: 'make no network connection (this version never makes one)',
  },
  /** Country of the machine: ISO 3166-1 alpha-3, such as FRA. */
  countryIsoCode: { type: 'text', help: 'country of the machine, such as FRA (ISO 3166-1 alpha-3)' },
  /** US state or Canadian province of the machine, by name or code. */
  region: { type: 'text', help: 'US state or Canadian province, by name or code' },
  /** Cloud provider of the machine: aws, azure, gcp or ovh. */
  cloudProvider: { type: 'text', help: 'cloud provider: aws, azure, gcp or ovh' },
  /** Region of the cloud provider, such as europe-west9. */
  cloudRegion: { type: 'text', help: 'region of the cloud provider, such as europe-west9' },
} as const

type Table = typeof optionTable

/** Name of an option in code. */
export type OptionName = keyof Table

type Value<Spec> = Spec extends { type: 'number' | 'integer' }
  ? number
  : Spec extends { type: 'switch' }
    ? boolean
    : Spec extends { type: 'list'; choices: readonly (infer Choice)[] }
      ? readonly Choice[]
      : Spec extends { type: 'choice'; choices: readonly (infer Choice)[] }
        ? Choice
        : string

/** Options as people give them: all optional. */
export type GivenOptions = { readonly [Name in OptionName]?: Value<Table[Name]> | undefined }

/** Options inside: every one with a default is there. */
export type Options = {
  readonly [Name in OptionName]:
    Value<Table[Name]> | (Table[Name] extends { default: unknown } ? never : undefined)
}

/** What the table says about one option, with the fields that only some kinds have. */
export interface OptionSpec {
  readonly type: 'text' | 'number' | 'integer' | 'switch' | 'choice' | 'list'
  readonly help: string
  readonly default?: string | number | boolean | readonly string[]
  readonly min?: number
  readonly choices?: readonly string[]
}

/** The table as a list, in its order. */
export const optionSpecs: readonly (readonly [OptionName, OptionSpec])[] = Object.entries(
  optionTable,
) as never

/** `measurePowerSecs` → `measure_power_secs`; `forceCarbonIntensityGCo2eKwh` → `force_carbon_intensity_g_co2e_kwh`. */
export const toSnakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
