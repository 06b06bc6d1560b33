/**
 * The one table of metrics: names, instruments, units, help and attributes, for OpenTelemetry and Prometheus alike. Exporters, documents,
 * dashboards and rules are compared with it.
 */

/** What the table says about one metric. */
export interface MetricSpec {
  /** Name in OpenTelemetry. */
  readonly name: string
  readonly instrument: 'counter' | 'gauge' | 'histogram'
  /** UCUM. `{…}` counts things. */
  readonly unit: string
  /** One sentence without its full stop. */
  readonly help: string
  /** Attributes that its series may have. */
  readonly attributes: readonly string[]
  /** Upper bounds of the buckets of a histogram. */
  readonly buckets?: readonly number[]
}

/** Every metric, by a key that the code uses. */
export const metricTable = {
  hwEnergy: {
    name: 'hw.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'energy of a device since the run began, without PUE; parts of a device that is counted are left out',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  hwPower: {
    name: 'hw.power',
    instrument: 'gauge',
    unit: 'W',
    help: 'mean power of a device over the last measurement, without PUE',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  hwHostEnergy: {
    name: 'hw.host.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'energy of the whole host by a meter of its own, which holds that of its devices',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  hwHostPower: {
    name: 'hw.host.power',
    instrument: 'gauge',
    unit: 'W',
    help: 'mean power of the whole host by a meter of its own over the last measurement',
    attributes: ['hw.id', 'hw.type', 'hw.name', 'codecarbon.method'],
  },
  devicePowerLimit: {
    name: 'codecarbon.device.power.limit',
    instrument: 'gauge',
    unit: 'W',
    help: 'power that a device is made for (TDP) or set to draw at most, where it or its model tells',
    attributes: ['hw.id', 'hw.type', 'hw.name'],
  },
  hwGpuUtilization: {
    name: 'hw.gpu.utilization',
    instrument: 'gauge',
    unit: '1',
    help: 'share of the time in which the graphics processors were busy, in the mean of those that tell',
    attributes: ['hw.id'],
  },
  emissions: {
    name: 'codecarbon.emissions',
    instrument: 'counter',
    unit: 'g',
    help: 'emissions in CO2 equivalents since the run began, with PUE, each gram counted with the carbon intensity of its moment; basis market only where a contract is given',
    attributes: ['component', 'basis'],
  },
  emissionsBound: {
    name: 'codecarbon.emissions.bound',
    instrument: 'counter',
    unit: 'g',
    help: 'low and high end of the interval around the location-based emissions',
    attributes: ['bound'],
  },
  embodiedEmissions: {
    name: 'codecarbon.embodied.emissions',
    instrument: 'counter',
    unit: 'g',
    help: 'emissions of making the machine, in CO2 equivalents, for the time of its life that the run has taken; no part of the emissions',
    attributes: ['component'],
  },
  componentEnergy: {
    name: 'codecarbon.component.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'energy of a component since the run began; the component overhead is what PUE adds, so that the sum is the consumption',
    attributes: ['component', 'method'],
  },
  energyBound: {
    name: 'codecarbon.component.energy.bound',
    instrument: 'counter',
    unit: 'J',
    help: 'low and high end of the interval around the energy of a component, without PUE',
    attributes: ['component', 'bound'],
  },
  componentPower: {
    name: 'codecarbon.component.power',
    instrument: 'gauge',
    unit: 'W',
    help: 'mean power of a component over the last measurement, without PUE',
    attributes: ['component'],
  },
  unattributedEnergy: {
    name: 'codecarbon.unattributed.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'energy of a component while no task was running, without PUE',
    attributes: ['component'],
  },
  processEnergy: {
    name: 'codecarbon.process.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'share of the tracked process tree in the energy of a component, without PUE',
    attributes: ['component'],
  },
  processCpu: {
    name: 'codecarbon.process.cpu',
    instrument: 'counter',
    unit: 's',
    help: 'CPU time of the tracked process tree since the run began',
    attributes: [],
  },
  carbonIntensity: {
    name: 'codecarbon.carbon_intensity',
    instrument: 'gauge',
    unit: 'g/kWh',
    help: 'carbon intensity of the electricity that counts now, in grams of CO2 equivalents',
    attributes: ['basis', 'source'],
  },
  carbonIntensityTimestamp: {
    name: 'codecarbon.carbon_intensity.timestamp',
    instrument: 'gauge',
    unit: 's',
    help: 'beginning of the time that the carbon intensity is of, in seconds since 1970; a yearly one is of its year',
    attributes: ['basis', 'source'],
  },
  pue: {
    name: 'codecarbon.pue',
    instrument: 'gauge',
    unit: '1',
    help: 'power usage effectiveness that energies and emissions are counted with',
    attributes: [],
  },
  waterVolume: {
    name: 'codecarbon.water.volume',
    instrument: 'counter',
    unit: 'L',
    help: 'water for cooling since the run began, energy with PUE times WUE',
    attributes: [],
  },
  measured: {
    name: 'codecarbon.measured',
    instrument: 'gauge',
    unit: '1',
    help: 'share of the energy of a component since the run began that hardware counters told',
    attributes: ['component'],
  },
  taskEnergy: {
    name: 'codecarbon.task.energy',
    instrument: 'histogram',
    unit: 'J',
    help: 'energy of ended tasks, jobs and requests, with PUE; those that are nested are held by others, too',
    attributes: ['task', 'kind', 'outcome', 'queue', 'attribution', 'nested'],
    buckets: [0.001, 0.01, 0.1, 1, 3, 10, 30, 100, 300, 1000, 3000, 1e4, 1e5, 1e6],
  },
  taskEmissions: {
    name: 'codecarbon.task.emissions',
    instrument: 'histogram',
    unit: 'g',
    help: 'location-based emissions of ended tasks, jobs and requests in CO2 equivalents, with PUE; those that are nested are held by others, too',
    attributes: ['task', 'kind', 'outcome', 'queue', 'attribution', 'nested', 'basis'],
    buckets: [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 100, 1000],
  },
  taskDuration: {
    name: 'codecarbon.task.duration',
    instrument: 'histogram',
    unit: 's',
    help: 'duration of ended tasks, jobs and requests',
    attributes: ['task', 'kind', 'outcome', 'queue', 'attribution', 'nested'],
    buckets: [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 86_400],
  },
  functionalUnits: {
    name: 'codecarbon.functional_units',
    instrument: 'counter',
    unit: '{unit}',
    help: 'functional units of the SCI that the program has counted',
    attributes: ['unit_name'],
  },
  sci: {
    name: 'codecarbon.sci',
    instrument: 'gauge',
    unit: '{gCO2eq}/{unit}',
    help: 'Software Carbon Intensity of the run so far: grams of CO2 equivalents, operational and embodied, per functional unit',
    attributes: ['unit_name'],
  },
  buildInfo: {
    name: 'codecarbon.build.info',
    instrument: 'gauge',
    unit: '{info}',
    help: 'always 1, with the versions of this package and of its runtime',
    attributes: ['version', 'runtime'],
  },
  runInfo: {
    name: 'codecarbon.run.info',
    instrument: 'gauge',
    unit: '{info}',
    help: 'always 1, with what is true of the whole run, to be joined with the others',
    attributes: [
      'project_name',
      'run_id',
      'country_iso_code',
      'cloud_provider',
      'cloud_region',
      'cpu_model',
      'gpu_model',
      'ram_total_bytes',
      'tracking_mode',
    ],
  },
  hostReporter: {
    name: 'codecarbon.host.reporter',
    instrument: 'gauge',
    unit: '{state}',
    help: '1 where this run tells those series of the whole machine, 0 where it leaves them to another run of the machine; devices are those whose names begin with hw, components what the machine used',
    attributes: ['series'],
  },
  sourceUp: {
    name: 'codecarbon.source.up',
    instrument: 'gauge',
    unit: '{state}',
    help: '1 where a component, or the host by a meter of its own, is told at this moment, 0 where it is unmeasured',
    attributes: ['component', 'source'],
  },
  sourceErrors: {
    name: 'codecarbon.source.errors',
    instrument: 'counter',
    unit: '{error}',
    help: 'problems beside the figures since the run began, by code and subject',
    attributes: ['source', 'reason'],
  },
  gapTime: {
    name: 'codecarbon.gap',
    instrument: 'counter',
    unit: 's',
    help: 'time for which the energy of a source is unknown since the run began',
    attributes: ['source'],
  },
  counterWraps: {
    name: 'codecarbon.counter.wraps',
    instrument: 'counter',
    unit: '{wrap}',
    help: 'times that the counter of a source started again from zero, and was seen to (sure) or may have done so unread (suspected)',
    attributes: ['source', 'certainty'],
  },
  exporterErrors: {
    name: 'codecarbon.exporter.errors',
    instrument: 'counter',
    unit: '{error}',
    help: 'failures of an output since the run began',
    attributes: ['exporter'],
  },
  runStart: {
    name: 'codecarbon.run.start.timestamp',
    instrument: 'gauge',
    unit: 's',
    help: 'when the run began, in seconds since 1970',
    attributes: [],
  },
  lastTick: {
    name: 'codecarbon.last_tick.timestamp',
    instrument: 'gauge',
    unit: 's',
    help: 'when the hardware was read last, in seconds since 1970',
    attributes: [],
  },
  measurementInterval: {
    name: 'codecarbon.measurement.interval',
    instrument: 'gauge',
    unit: 's',
    help: 'time between two measurements that the run was asked for',
    attributes: [],
  },
  tickDuration: {
    name: 'codecarbon.tick.duration',
    instrument: 'histogram',
    unit: 's',
    help: 'duration of measurements: reading the hardware and keeping the books',
    attributes: [],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
  },
  scrapeDuration: {
    name: 'codecarbon.scrape.duration',
    instrument: 'histogram',
    unit: 's',
    help: 'time from the request for the metrics to their text; of the endpoint for Prometheus alone',
    attributes: [],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5],
  },
  selfCpu: {
    name: 'codecarbon.self.cpu',
    instrument: 'counter',
    unit: 's',
    help: 'CPU time that reading the hardware and keeping the books has taken since the run began',
    attributes: [],
  },
  selfEnergy: {
    name: 'codecarbon.self.energy',
    instrument: 'counter',
    unit: 'J',
    help: "energy of the processors that falls on that time by its share of the CPU time, without PUE; part of the component's energy",
    attributes: [],
  },
  selfMemory: {
    name: 'codecarbon.self.memory',
    instrument: 'gauge',
    unit: 'By',
    help: 'resident memory of the process that measures, with the program that it is part of',
    attributes: [],
  },
} as const

/** A key of {@link metricTable}. */
export type MetricKey = keyof Table

type Table = typeof metricTable

/** The table as a list, in its order. */
export const metricSpecs: readonly (readonly [MetricKey, MetricSpec])[] = Object.entries(metricTable) as never

/** What Prometheus and the OpenTelemetry Collector call units; one that is not here stays as it is. */
const unitNames: Readonly<Record<string, string>> = {
  J: 'joules',
  W: 'watts',
  g: 'grams',
  s: 'seconds',
  By: 'bytes',
  'g/kWh': 'grams_per_kWh',
}

/**
 * The name in Prometheus, by the rules of the OpenTelemetry specification as the Collector and Prometheus' own receiver apply them
 * (otlptranslator): dots become underscores, the unit follows in words, `{…}` says nothing, a gauge of unit 1 ends in `_ratio`, a
 * counter in `_total`.
 */
export function prometheusName(spec: MetricSpec): string {
  const base = spec.name.replaceAll('.', '_')
  const suffix = unitSuffix(spec)
  const named = suffix === '' ? base : `${base}_${suffix}`
  return spec.instrument === 'counter' ? `${named}_total` : named
}

/** What the unit adds to that name; empty where it says nothing, or where the name says it already. */
export function unitSuffix({ name, unit, instrument }: MetricSpec): string {
  const words = unit.replaceAll(/\{[^}]*\}/g, '').replace(/^\/$/, '')
  const suffix = unit === '1' ? (instrument === 'gauge' ? 'ratio' : '') : (unitNames[words] ?? words)
  return name.replaceAll('.', '_').endsWith(`_${suffix}`) ? '' : suffix
}

/** The name of an attribute as a label in Prometheus. */
export const labelName = (attribute: string): string => attribute.replaceAll('.', '_')
