import { toSnakeCase } from './spelling.ts'

/** Headings under which `--help` and docs/configuration.md list options, in their order. */
export const optionGroups = {
  run: 'The run',
  output: 'Outputs',
  place: 'Place and carbon intensity',
  carbon: 'Embodied and market-based emissions, SCI',
  hardware: 'Hardware and power models',
  prometheus: 'Prometheus and OpenTelemetry',
  api: 'CodeCarbon API',
  log: 'Messages',
  old: 'Deprecated',
} as const

/** What the table says about one option. */
export interface OptionSpec {
  /**
   * - `text`, `number`, `integer`, `switch` (true or false), `choice` and `list` (of `choices`) as they say
   * - `url`: an http or https address
   * - `level`: a severity by name or by Python's number
   * - `ids`: a list of whole numbers and UUIDs, or their beginnings
   * - `names`: a list of names that labels of metrics may have
   */
  readonly type:
    'text' | 'number' | 'integer' | 'switch' | 'choice' | 'list' | 'url' | 'level' | 'ids' | 'names'
  /** One sentence without its full stop. */
  readonly help: string
  readonly group: keyof typeof optionGroups
  readonly default?: string | number | boolean | readonly string[]
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  /** A number outside of the range that has a meaning of its own. */
  readonly also?: number
  readonly choices?: readonly string[]
  /** An empty text is no value. */
  readonly notEmpty?: true
  /** An address has to be that of a host, by https, with nothing else in it. */
  readonly httpsOnly?: true
  /** The option without which this one changes nothing. */
  readonly needs?: string
  /** How a path has to end. */
  readonly ending?: string
  /** Never shown: not in messages, not by `config --show`. */
  readonly secret?: true
  /** What is sent to it: told in the log where a file in the working directory sets it. */
  readonly destination?: 'figures' | 'figures and the API key' | 'name and password'
  /** What to give instead. The option still works. */
  readonly deprecated?: string
  /** What will use it. Until then, giving it is answered by a warning. */
  readonly waitsFor?: string
}

/** Outputs that are understood but wait for a later version, and what they wait for. */
export const waitingOutputs: Readonly<Record<string, string>> = {
  boamps: 'BoAmps',
}

/**
 * Every option once: name, type, unit, default, range and help. `measurePowerSecs` here is `measure_power_secs` in files,
 * `CODECARBON_MEASURE_POWER_SECS` in the environment and `--measure-power-secs` on the command line. From this table come parsing,
 * validation, types, `--help` and docs/configuration.md.
 */
export const optionTable = {
  /** Label written to every output. */
  projectName: {
    type: 'text',
    group: 'run',
    default: 'codecarbon',
    help: 'label written to every output',
  },
  /** Seconds between measurements. */
  measurePowerSecs: {
    type: 'number',
    group: 'run',
    unit: 's',
    default: 15,
    min: 0.01,
    help: 'seconds between measurements',
  },
  /** Measurements between two live reports to outputs; -1: only at flush and stop. */
  apiCallInterval: {
    type: 'integer',
    group: 'run',
    unit: 'measurements',
    default: 8,
    min: 1,
    also: -1,
    help: 'measurements between two live reports to outputs; -1: only at flush and stop',
  },
  /** Track the whole machine, or the share of this process and its children. */
  trackingMode: {
    type: 'choice',
    group: 'run',
    default: 'machine',
    choices: ['machine', 'process'],
    help: 'the whole machine, or the share of the process and its children',
  },
  /** How what jobs and requests of one process use is told apart. */
  attribution: {
    type: 'choice',
    group: 'run',
    default: 'shared',
    choices: ['shared', 'precise'],
    help: 'how what interleaving jobs and requests of one process use is told apart: by the time in which they are active, or (precise, which costs time) by the CPU time of its thread first',
  },
  /** Labels of jobs and requests that become labels of metrics. */
  scopeLabels: {
    type: 'names',
    group: 'run',
    default: [],
    help: 'labels that programs give to jobs and requests and that metrics are to have too, each of few values',
  },
  /** Whether other runs of this user on this machine may go on at the same time; else a second one tracks nothing. */
  allowMultipleRuns: {
    type: 'switch',
    group: 'run',
    default: true,
    help: 'let several runs of one user on one machine go on at the same time; else the later one tracks nothing',
  },
  /** Experiment that the run belongs to, as in the CodeCarbon API. */
  experimentId: {
    type: 'text',
    group: 'run',
    default: '5b0fa12a-3dd7-45bb-9766-cc326314d9f1',
    help: 'experiment that the run belongs to: its id in the CodeCarbon API',
  },
  /** Name of the experiment, part of the name of the file of tasks. */
  experimentName: {
    type: 'text',
    group: 'run',
    default: 'base',
    help: 'name of the experiment, in the name of the file of tasks',
  },
  /** Make no network connection at all. */
  offline: {
    type: 'switch',
    group: 'run',
    default: false,
    help: 'make no network connection, whatever else is given',
  },

  /** Where figures go. */
  outputMethods: {
    type: 'list',
    group: 'output',
    default: ['csv'],
    choices: [
      'csv',
      'api',
      'logger',
      'prometheus',
      'prometheus_pull',
      'otlp',
      'comet',
      'mlflow',
      'boamps',
      'jsonl',
      'logfire',
      'github',
    ],
    help: 'where figures go; github: the summary of a job of GitHub Actions',
  },
  /** Folder for output files; made where it is missing. */
  outputDir: {
    type: 'text',
    group: 'output',
    default: '.',
    help: 'folder for output files; made where it is missing',
  },
  /** Name of the CSV file, or a path of its own. */
  outputFile: {
    type: 'text',
    group: 'output',
    default: 'emissions.csv',
    notEmpty: true,
    help: 'name of the CSV file, or a path of its own',
  },
  /** Whether a run adds a row at each flush and stop, or keeps one row up to date. */
  onCsvWrite: {
    type: 'choice',
    group: 'output',
    default: 'append',
    choices: ['append', 'update'],
    help: 'add a row at each flush and stop, or keep one row a run up to date',
  },
  /** The 38 columns of CodeCarbon, or those and ours: intervals, methods, sources. */
  csvSchema: {
    type: 'choice',
    group: 'output',
    default: 'codecarbon',
    choices: ['codecarbon', 'extended'],
    help: 'the 38 columns of CodeCarbon, or those and ours after them, in the files of runs and of tasks: intervals, methods, sources, embodied and market-based emissions, SCI',
  },
  /** Write the figures of the run as JSON to this file at its end. */
  summaryFile: {
    type: 'text',
    group: 'output',
    notEmpty: true,
    help: 'write the figures of the run as JSON to this file at its end',
  },
  /** Address that the record of a run is posted to as JSON, at each flush and at the end. */
  emissionsEndpoint: {
    type: 'url',
    group: 'output',
    destination: 'figures',
    help: 'address that the record of a run is posted to as JSON, at each flush and at the end; may hold user name and password',
  },
  /** Hooks that `codecarbon/register` turns on: `all`, `none`, or a list of their names. */
  integrations: {
    type: 'text',
    group: 'run',
    default: 'all',
    help: 'hooks that codecarbon/register turns on in a program: all, none, or a list such as http,bullmq',
  },
  /** Log a command of `codecarbon run`, or a program with `codecarbon/register`, to MLflow where `MLFLOW_TRACKING_URI` and `MLFLOW_RUN_ID` name a run. */
  mlflowAutoLog: {
    type: 'switch',
    group: 'output',
    default: true,
    help: 'log a command of codecarbon run, or a program with codecarbon/register, to MLflow by itself where MLFLOW_TRACKING_URI and MLFLOW_RUN_ID name a run of a server',
  },

  /** Country of the machine: ISO 3166-1 alpha-3, such as FRA. */
  countryIsoCode: {
    type: 'text',
    group: 'place',
    help: 'country of the machine, such as FRA (ISO 3166-1 alpha-3)',
  },
  /** The same by its two letters, such as FR; used where `countryIsoCode` is not given. */
  country2letterIsoCode: {
    type: 'text',
    group: 'place',
    help: 'the same by two letters, such as FR (ISO 3166-1 alpha-2), where country_iso_code is not given',
  },
  /** US state or Canadian province of the machine, by name or code. */
  region: { type: 'text', group: 'place', help: 'US state or Canadian province, by name or code' },
  /** Cloud provider of the machine: aws, azure, gcp or ovh. */
  cloudProvider: { type: 'text', group: 'place', help: 'cloud provider: aws, azure, gcp or ovh' },
  /** Region of the cloud provider, such as europe-west9. */
  cloudRegion: {
    type: 'text',
    group: 'place',
    help: 'region of the cloud provider, such as europe-west9',
  },
  /** How the place is found where it is not given. `cloud` and `ip` ask over the network. */
  locateBy: {
    type: 'list',
    group: 'place',
    default: ['environment', 'time-zone'],
    choices: ['environment', 'cloud', 'time-zone', 'ip'],
    help: 'how the place is found where it is not given: environment is variables of cloud services, OTEL_RESOURCE_ATTRIBUTES, host names and domains of clouds and of SLURM jobs; cloud is metadata of clouds, ip the IP address, and these two ask over the network',
  },
  /** Carbon intensity in gCO2e/kWh, in place of any table. */
  forceCarbonIntensityGCo2eKwh: {
    type: 'number',
    group: 'place',
    unit: 'gCO2e/kWh',
    min: 0,
    help: 'carbon intensity in gCO2e/kWh, in place of any table',
  },
  /** Where the carbon intensity comes from: `auto` is Electricity Maps where its token is given, else yearly figures; `table` our own ones alone. */
  intensitySource: {
    type: 'choice',
    group: 'place',
    default: 'auto',
    choices: ['auto', 'electricitymaps', 'uk', 'rte', 'table'],
    help: 'where the carbon intensity comes from; auto: Electricity Maps where its token is given, else yearly figures; table: those of this package alone, without @tgwf/co2',
  },
  /** Zone of Electricity Maps whose carbon intensity counts, live or of the year. */
  electricitymapsZone: {
    type: 'text',
    group: 'place',
    help: 'zone of Electricity Maps, such as US-CAL-CISO, whose carbon intensity counts in place of that of the place; yearly figures of zones come with the package @tgwf/co2',
  },
  /** Token for Electricity Maps. */
  electricitymapsApiToken: {
    type: 'text',
    group: 'place',
    secret: true,
    help: 'token for Electricity Maps; giving it turns live carbon intensity on',
  },
  /** Power usage effectiveness of the data centre: multiplies every energy. */
  pue: {
    type: 'number',
    group: 'place',
    default: 1,
    min: 1,
    help: 'power usage effectiveness of the data centre: multiplies every energy',
  },
  /** Water usage effectiveness of the data centre, in litres per kWh. */
  wue: {
    type: 'number',
    group: 'place',
    unit: 'l/kWh',
    default: 0,
    min: 0,
    help: 'water usage effectiveness of the data centre in litres per kWh',
  },

  /** Carbon intensity of the electricity as it was bought, in gCO2e/kWh: told beside that of the place, never in its stead. */
  marketCarbonIntensityGCo2eKwh: {
    type: 'number',
    group: 'carbon',
    unit: 'gCO2e/kWh',
    min: 0,
    max: 1e6,
    help: 'carbon intensity of the electricity as it was bought, in gCO2e/kWh; its emissions are told beside those of the place',
  },
  /** Emissions of making the whole machine, in kg CO2eq; else those of its kind are taken. */
  embodiedEmissionsKg: {
    type: 'number',
    group: 'carbon',
    unit: 'kg CO2eq',
    min: 0,
    max: 1e9,
    help: 'emissions of making the whole machine, or the whole server of a virtual one, in kg CO2eq; else those that are published for its kind',
  },
  /** Years over which they are written off. */
  embodiedLifespanYears: {
    type: 'number',
    group: 'carbon',
    unit: 'years',
    default: 4,
    min: 0.1,
    max: 1e6,
    help: 'years over which the emissions of making the machine are written off',
  },
  /** Part of the machine that is reserved for this system; where it is a virtual machine, else told by its threads. */
  embodiedShare: {
    type: 'number',
    group: 'carbon',
    min: 0,
    max: 1,
    help: 'part of the machine that is reserved, 0 to 1; else all of it, or the share of the threads that a virtual machine has',
  },
  /** What functional units are called, such as `request`. */
  functionalUnit: {
    type: 'text',
    group: 'carbon',
    default: 'unit',
    notEmpty: true,
    help: 'what functional units of the SCI are called, such as request',
  },
  /** Functional units of the run, where the program does not count them. */
  functionalUnits: {
    type: 'number',
    group: 'carbon',
    min: 0,
    max: 1e15,
    help: 'functional units that the run makes, where the program does not count them; turns the SCI on, of all that the run tracks',
  },

  /** TDP of the machine's processors together, in watts; also turns hardware counters off for them. */
  forceCpuPower: {
    type: 'number',
    group: 'hardware',
    unit: 'W',
    min: 0,
    help: 'TDP of the processors together in watts; estimates instead of reading counters',
  },
  /** Power of the memory, in watts, taken as it is. */
  forceRamPower: {
    type: 'number',
    group: 'hardware',
    unit: 'W',
    min: 0,
    help: 'power of the memory in watts, taken as it is',
  },
  /** Estimate the processors' power from their load even where a counter could be read. */
  forceModeCpuLoad: {
    type: 'switch',
    group: 'hardware',
    default: false,
    help: 'estimate the processors from their load even where a counter can be read',
  },
  /** Name of the processor, where the system gives a wrong one or none. */
  cpuModel: {
    type: 'text',
    group: 'hardware',
    notEmpty: true,
    help: 'name of the processor, where the system gives a wrong one or none',
  },
  /** Watts of all processors at full load, for the estimate. */
  cpuMaxWatts: {
    type: 'number',
    group: 'hardware',
    unit: 'W',
    min: 0.001,
    help: 'watts of all processors at full load, for the estimate',
  },
  /** Watts of all processors at idle, for the estimate. */
  cpuIdleWatts: {
    type: 'number',
    group: 'hardware',
    unit: 'W',
    min: 0,
    help: 'watts of all processors at idle, for the estimate',
  },
  /** What the estimate is made by: our model, or as CodeCarbon for Python does, to compare. */
  cpuPowerModel: {
    type: 'choice',
    group: 'hardware',
    default: 'default',
    choices: ['default', 'codecarbon', 'constant'],
    help: 'how load becomes watts: our fitted curve, the cubic curve of CodeCarbon for Python, or half the TDP at any load',
  },
  /** Graphics processors to count, by index or UUID; all where it is not given. */
  gpuIds: {
    type: 'ids',
    group: 'hardware',
    help: 'graphics processors to count, by index or UUID; all where it is not given',
  },
  /** Address of the machine's controller (BMC): its power is shown beside the parts. */
  redfishUrl: {
    type: 'url',
    group: 'hardware',
    destination: 'name and password',
    httpsOnly: true,
    help: "address of the machine's controller (BMC), whose figure for the whole machine is shown beside the parts; asked by Redfish over HTTPS",
  },
  /** User of the controller. */
  redfishUser: { type: 'text', group: 'hardware', needs: 'redfishUrl', help: 'user of the controller' },
  /** Password of that user. */
  redfishPassword: {
    type: 'text',
    group: 'hardware',
    secret: true,
    needs: 'redfishUser',
    help: 'password of that user',
  },
  /** Which chassis of the controller is this machine. */
  redfishChassis: {
    type: 'text',
    group: 'hardware',
    needs: 'redfishUrl',
    help: 'id of the chassis that is this machine; the first that tells its power where it is not given',
  },
  /** Certificates to trust the controller by. */
  redfishCaFile: {
    type: 'text',
    group: 'hardware',
    needs: 'redfishUrl',
    notEmpty: true,
    help: 'file of certificates (PEM) to trust the controller by, besides those of the system',
  },
  /** Ask the controller by IPMI. */
  ipmi: {
    type: 'switch',
    group: 'hardware',
    default: false,
    help: 'ask the controller by ipmitool every 10 s; needs root',
  },
  /** Measure memory by its own counter where there is one. */
  raplIncludeDram: {
    type: 'switch',
    group: 'hardware',
    default: true,
    help: 'measure memory by its own counter where there is one',
  },
  /** Let the whole-platform counter stand for processors and memory. */
  raplPreferPsys: {
    type: 'switch',
    group: 'hardware',
    default: false,
    help: 'let the whole-platform counter stand for processors and memory',
  },
  /** Where procfs is mounted. */
  procfsPath: {
    type: 'text',
    group: 'hardware',
    default: '/proc',
    notEmpty: true,
    help: 'where procfs is mounted',
  },
  /** Where sysfs is mounted. */
  sysfsPath: {
    type: 'text',
    group: 'hardware',
    default: '/sys',
    notEmpty: true,
    help: 'where sysfs is mounted',
  },
  /** The NVML library to load. */
  nvmlLibraryPath: {
    type: 'text',
    group: 'hardware',
    notEmpty: true,
    help: 'the NVML library to load',
  },

  /** Port of the Prometheus endpoint; giving it turns the endpoint on. */
  prometheusPort: {
    type: 'integer',
    group: 'prometheus',
    min: 0,
    max: 65535,
    help: 'port of the Prometheus endpoint, 0 for any that is free; giving it turns the endpoint on, as output_methods=prometheus_pull does with 12044',
  },
  /** Address that the Prometheus endpoint listens on. */
  prometheusHost: {
    type: 'text',
    group: 'prometheus',
    default: '127.0.0.1',
    notEmpty: true,
    help: 'address that the Prometheus endpoint listens on',
  },
  /** File that sets TLS and passwords of the Prometheus endpoint. */
  webConfigFile: {
    type: 'text',
    group: 'prometheus',
    notEmpty: true,
    help: 'file that sets TLS, client certificates and passwords of the Prometheus endpoint, in the form of the web configuration of Prometheus itself',
  },
  /** Address of the Pushgateway that `outputMethods: ['prometheus']` pushes to. */
  prometheusUrl: {
    type: 'text',
    group: 'prometheus',
    default: 'localhost:9091',
    notEmpty: true,
    destination: 'figures',
    help: 'address of the Pushgateway, for output_methods=prometheus; metrics are pushed with the job codecarbon and the host name as instance, which a second run of the host at the same time has a :2 behind, or into the group whose whole address is given (http://gateway:9091/metrics/job/…); PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD are sent where they are set',
  },
  /** Delete the metrics from the Pushgateway at the end, when it has taken the last ones. */
  prometheusDeleteAtEnd: {
    type: 'switch',
    group: 'prometheus',
    default: true,
    help: 'delete the metrics from the Pushgateway at the end, when it has taken the last ones, as CodeCarbon for Python does; false keeps them for Prometheus to scrape, as after runs that end between two scrapes',
  },
  /** File for the textfile collector of node_exporter; its name ends in .prom. */
  prometheusTextfile: {
    type: 'text',
    group: 'prometheus',
    notEmpty: true,
    ending: '.prom',
    help: 'file for the textfile collector of node_exporter, written at each report; each program needs one of its own',
  },
  /** Whether this run tells the series of the whole machine: one of all runs of the machine, always, or never. */
  hostReporter: {
    type: 'choice',
    group: 'prometheus',
    default: 'auto',
    choices: ['auto', 'always', 'never'],
    help: 'whether metrics of this run have the series of the whole machine; auto: those of one of all the runs of this machine, so that sums count it once; files and reports have them in any case',
  },
  /** Runs of one group choose one among them. */
  hostReporterGroup: {
    type: 'text',
    group: 'prometheus',
    default: 'default',
    notEmpty: true,
    help: 'runs of one group choose one among them for host_reporter=auto; another one for each place where metrics are summed up apart',
  },
  /** Have the metrics of CodeCarbon for Python under their names, too. */
  prometheusCompatNames: {
    type: 'switch',
    group: 'prometheus',
    default: false,
    help: 'have the metrics of CodeCarbon for Python under their names and in their units, too, for dashboards made for it: on the endpoint, the Pushgateway and in the file for node_exporter',
  },
  /** Send metrics by OTLP; the standard `OTEL_*` variables rule the rest. */
  otlp: {
    type: 'switch',
    group: 'prometheus',
    default: false,
    help: 'send metrics by OTLP, as output_methods=otlp does; the standard OTEL_* variables rule the rest',
  },

  /** Base address of the CodeCarbon API. */
  apiEndpoint: {
    type: 'url',
    group: 'api',
    default: 'https://api.codecarbon.io',
    destination: 'figures and the API key',
    help: 'base address of the CodeCarbon API, for output_methods=api',
  },
  /** Key of the project in the CodeCarbon API. */
  apiKey: {
    type: 'text',
    group: 'api',
    secret: true,
    help: 'key of the project in the CodeCarbon API, for output_methods=api',
  },
  /** Organisation in the CodeCarbon API. */
  organizationId: {
    type: 'text',
    group: 'api',
    help: 'organisation in the CodeCarbon API',
  },
  /** Project in the CodeCarbon API. */
  projectId: {
    type: 'text',
    group: 'api',
    help: 'project in the CodeCarbon API',
  },

  /** Least severe messages to be printed on stderr: debug, info, warning, error or critical. */
  logLevel: {
    type: 'level',
    group: 'log',
    default: 'info',
    choices: ['debug', 'info', 'warning', 'error', 'critical'],
    help: 'least severe messages to be printed on stderr',
  },
  /** Text put into each line of the log. */
  loggerPreamble: { type: 'text', group: 'log', default: '', help: 'text put into each line of the log' },

  /** Write the CSV file. */
  saveToFile: {
    type: 'switch',
    group: 'old',
    default: true,
    deprecated: 'outputMethods',
    help: 'write the CSV file',
  },
  /** Send figures to the CodeCarbon API. */
  saveToApi: {
    type: 'switch',
    group: 'old',
    default: false,
    deprecated: 'outputMethods',
    help: 'send figures to the CodeCarbon API',
  },
  /** Give figures to a logger. */
  saveToLogger: {
    type: 'switch',
    group: 'old',
    default: false,
    deprecated: 'outputMethods',
    help: 'give figures to a logger',
  },
  /** Push figures to a Pushgateway. */
  saveToPrometheus: {
    type: 'switch',
    group: 'old',
    default: false,
    deprecated: 'outputMethods',
    help: 'push figures to a Pushgateway',
  },
  /** Send figures to Logfire. */
  saveToLogfire: {
    type: 'switch',
    group: 'old',
    default: false,
    deprecated: 'outputMethods',
    help: 'send figures to Logfire',
  },
} as const

/** Older names of options, as in files and the environment, and the names they have now. */
export const optionAliases: ReadonlyMap<string, OptionName> = new Map([
  ['co2_signal_api_token', 'electricitymapsApiToken'],
  ['default_cpu_power', 'forceCpuPower'],
])

/** Options of older versions of CodeCarbon that mean nothing any more, and why. */
export const goneOptions: ReadonlyMap<string, string> = new Map([
  ['misfire_grace_time', 'a late measurement loses nothing here'],
])

type Table = typeof optionTable

/** Name of an option in code. */
export type OptionName = keyof Table

type Value<Spec> = Spec extends { type: 'number' | 'integer' }
  ? number
  : Spec extends { type: 'switch' }
    ? boolean
    : Spec extends { type: 'ids' }
      ? readonly (number | string)[]
      : Spec extends { type: 'names' }
        ? readonly string[]
        : Spec extends { type: 'list'; choices: readonly (infer Choice)[] }
          ? readonly Choice[]
          : Spec extends { type: 'choice' | 'level'; choices: readonly (infer Choice)[] }
            ? Choice
            : string

/** What code may give besides the value itself. */
type Given<Spec> =
  | Value<Spec>
  | (Spec extends { type: 'list' | 'names' } ? string : never)
  | (Spec extends { type: 'level' } ? Uppercase<Value<Spec>> | number : never)
  | (Spec extends { type: 'ids' } ? number | string : never)

/** Options as people give them: all optional. */
export type GivenOptions = { readonly [Name in OptionName]?: Given<Table[Name]> | null | undefined }

/** Options inside: every one with a default is there. */
export type Options = {
  readonly [Name in OptionName]:
    Value<Table[Name]> | (Table[Name] extends { default: unknown } ? never : undefined)
}

/** The table as a list, in its order. */
export const optionSpecs: readonly (readonly [OptionName, OptionSpec])[] = Object.entries(
  optionTable,
) as never

/** What the table says about an option. */
export const specOf = (name: OptionName): OptionSpec => optionTable[name]

/** The table's options by their names in files. */
export const namesInFiles: ReadonlyMap<string, OptionName> = new Map(
  optionSpecs.map(([name]) => [toSnakeCase(name), name]),
)
