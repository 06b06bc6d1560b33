import { givenByUser } from '../core/emissions-data.ts'
import type { RunView } from '../core/exporter.ts'
import { deviceKey, energyByMethod } from '../core/host-share.ts'
import type { Reading } from '../core/reading.ts'
import {
  fromGibibytes,
  fromKilograms,
  fromMilliseconds,
  gramsAt,
  toKilowattHours,
  type Grams,
  type Joules,
} from '../core/units.ts'
import { countedComponents, totalEnergy, type CountedComponent, type Usage } from '../core/usage.ts'
import type { MetricKey } from './metrics.ts'
import { observeModelCalls } from './model-call-observations.ts'

/** One point of one series: what OpenTelemetry and Prometheus are given alike. Histograms are fed by tasks and are not among them. */
export interface Observation {
  readonly metric: MetricKey
  readonly value: number
  readonly attributes: Readonly<Record<string, string>>
}

/**
 * All series of a run at one moment, for outputs where they meet those of other runs. What is unmeasured has none: it is absent, never zero. Nor has
 * what another run tells of the same machine.
 */
export function observe(view: RunView): Observation[] {
  const { devices, used, unattributed } = view.host
  return [
    ...(devices === undefined ? [] : hardware(view, devices)),
    ...(used === undefined ? [] : [...components(view, used), ...totals(view, used)]),
    ...carbon(view),
    ...(unattributed === undefined ? [] : byComponent('unattributedEnergy', unattributed)),
    ...ofProcess(view),
    ...observeModelCalls(view.modelCalls),
    ...facts(view),
    ...health(view),
  ]
}

const one = (
  metric: MetricKey,
  value: number | undefined,
  attributes: Observation['attributes'] = {},
): Observation[] => (value === undefined ? [] : [{ metric, value, attributes }])

/** What OpenTelemetry calls the parts of a computer. */
const hardwareTypes: Readonly<Record<CountedComponent, string>> = { cpu: 'cpu', ram: 'memory', gpu: 'gpu' }

function hardware({ snapshot }: RunView, energies: ReadonlyMap<string, Joules>): Observation[] {
  const devices = snapshot.readings.flatMap((reading) => {
    const { domain, component, parent } = reading
    const used = (key: 'hwEnergy' | 'hwHostEnergy', device: Observation['attributes']): Observation[] =>
      [...energyByMethod(reading).keys()].flatMap((method) =>
        one(key, energies.get(deviceKey(domain, method)), {
          ...device,
          'codecarbon.method': wayOf({ ...reading, method }),
        }),
      )
    // A part of another domain would be counted twice by whoever sums up.
    if (parent !== undefined) return []
    const power = snapshot.power[domain]
    if (component === 'host') {
      const host = { 'hw.id': idOf(reading), 'hw.name': domain }
      const now = { ...host, 'codecarbon.method': wayOf(reading) }
      return [...used('hwHostEnergy', host), ...one('hwHostPower', power, now)]
    }
    const device = { 'hw.id': idOf(reading), 'hw.type': hardwareTypes[component], 'hw.name': domain }
    const attributes = { ...device, 'codecarbon.method': wayOf(reading) }
    return [
      ...used('hwEnergy', device),
      ...one('hwPower', power, attributes),
      ...one('devicePowerLimit', reading.powerLimit, device),
    ]
  })
  return [...devices, ...one('hwGpuUtilization', snapshot.load.gpuUtilisation, { 'hw.id': 'mean' })]
}

/** A graphics processor is known by its UUID, any other device by who reads it and what. */
const idOf = ({ domain, probe, component }: Reading): string =>
  component === 'gpu' ? domain.replace(/^gpu:/, '') : `${probe}:${domain}`

/** How a device is read, in the words of the metric: the models by what they stand on, all others by their probe. */
function wayOf({ probe, method }: Reading): string {
  if (probe === 'cpu-estimate') return 'tdp'
  if (probe === 'ram-estimate') return 'ram_model'
  if (method === 'estimated') return 'gpu_model'
  if (probe === 'nvml') return method === 'measured' ? 'nvml_energy' : 'nvml_power'
  return probe
}

function components(view: RunView, used: Usage): Observation[] {
  const { record, snapshot } = view
  const overhead = totalEnergy(used).value * (record.pue - 1)
  return [
    ...countedComponents.flatMap((component) => {
      const use = used.energy[component]
      if (use === undefined) return []
      // One that the run has used is there from the moment at which it tells of the machine, at zero: increases are counted from there.
      const whole = view.used.energy[component]?.methods
      const methods = (['measured', 'integrated', 'estimated'] as const).filter(
        (method) => whole !== undefined && whole[method] > 0,
      )
      const power = powerOf(component, snapshot)
      return [
        ...methods.flatMap((method) => one('componentEnergy', use.methods[method], { component, method })),
        ...one('energyBound', use.low, { component, bound: 'low' }),
        ...one('energyBound', use.high, { component, bound: 'high' }),
        ...one('componentPower', power, { component }),
        ...one('measured', use.value > 0 ? use.methods.measured / use.value : undefined, { component }),
        ...one('emissions', use.emissions, { component, basis: 'location' }),
      ]
    }),
    ...(overhead > 0 ? one('componentEnergy', overhead, { component: 'overhead', method: 'estimated' }) : []),
  ]
}

/** Sum over the domains of a component that were read in the last measurement. */
function powerOf(component: CountedComponent, { readings, power }: RunView['snapshot']): number | undefined {
  const parts = readings
    .filter((reading) => reading.component === component && reading.parent === undefined)
    .map(({ domain }) => power[domain])
    .filter((watts) => watts !== undefined)
  return parts.length === 0 ? undefined : parts.reduce((sum, watts) => sum + watts, 0)
}

/** What is counted of all components together. */
function totals(view: RunView, used: Usage): Observation[] {
  const { marketBased, embodied, pue, wue } = view.record
  const { value, low, high } = used.emissions
  const isTold = Object.keys(used.energy).length > 0
  return [
    ...(pue > 1 ? one('emissions', value * (pue - 1), { component: 'overhead', basis: 'location' }) : []),
    ...(isTold ? one('emissionsBound', low * pue, { bound: 'low' }) : []),
    ...(isTold ? one('emissionsBound', high * pue, { bound: 'high' }) : []),
    ...marketEmissions(used, marketBased?.gramsPerKwh, pue),
    ...one('embodiedEmissions', given(embodied?.kg, fromKilograms, shareOfTime(view, used)), {
      component: 'machine',
    }),
    ...(wue > 0 && isTold ? one('waterVolume', toKilowattHours(totalEnergy(used).value) * pue * wue) : []),
  ]
}

/** The part of the run for which it tells of the machine: embodied emissions are those of a time. */
const shareOfTime = (view: RunView, { machineTime }: Usage): number =>
  view.used.machineTime > 0 ? machineTime / view.used.machineTime : 1

function carbon({ record }: RunView): Observation[] {
  const { intensity, marketBased, sci, pue } = record
  const source = { basis: 'location', source: intensity.source }
  const since =
    intensity.observedAtMs ?? (intensity.year === undefined ? undefined : Date.UTC(intensity.year))
  return [
    ...one('carbonIntensity', intensity.gramsPerKwh, source),
    ...one('carbonIntensity', marketBased?.gramsPerKwh, { basis: 'market', source: givenByUser }),
    ...one('carbonIntensityTimestamp', given(since, fromMilliseconds), source),
    ...one('pue', pue),
    ...(sci === undefined
      ? []
      : [
          ...one('functionalUnits', sci.functionalUnits, { unit_name: sci.functionalUnit }),
          ...one('sci', sci.gramsPerUnit, { unit_name: sci.functionalUnit }),
        ]),
  ]
}

/** The same energy by its contract. */
function marketEmissions(used: Usage, gramsPerKwh: number | undefined, pue: number): Observation[] {
  if (gramsPerKwh === undefined) return []
  const massOf = (energy: Joules): Grams => gramsAt(energy, gramsPerKwh)
  return [
    ...countedComponents.flatMap((component) => {
      const use = used.energy[component]
      return one('emissions', given(use?.value, massOf), { component, basis: 'market' })
    }),
    ...(pue > 1
      ? one('emissions', massOf(totalEnergy(used).value) * (pue - 1), {
          component: 'overhead',
          basis: 'market',
        })
      : []),
  ]
}

const byComponent = (metric: MetricKey, usage: Usage): Observation[] =>
  countedComponents.flatMap((component) => one(metric, usage.energy[component]?.value, { component }))

/** The tree's part of the time of all logical CPUs is the CPU time that it used. */
function ofProcess({ process, record }: RunView): Observation[] {
  if (process === undefined) return []
  const { cpuCount } = record
  return [
    ...byComponent('processEnergy', process),
    ...one('processCpu', cpuCount === undefined ? undefined : process.machineTime * cpuCount),
  ]
}

/** What is not known is an empty text, as a label that is not there is to Prometheus. */
function facts({ record }: RunView): Observation[] {
  const { ramTotalSize } = record
  return [
    ...one('buildInfo', 1, { version: record.codecarbonVersion, runtime: record.pythonVersion }),
    ...one('runInfo', 1, {
      project_name: record.projectName,
      run_id: record.runId,
      country_iso_code: record.countryIsoCode ?? '',
      cloud_provider: record.cloudProvider ?? '',
      cloud_region: record.cloudRegion ?? '',
      cpu_model: record.cpuModel ?? '',
      gpu_model: record.gpuModel ?? '',
      ram_total_bytes: ramTotalSize === undefined ? '' : String(fromGibibytes(ramTotalSize)),
      tracking_mode: record.trackingMode,
    }),
  ]
}

function health(view: RunView): Observation[] {
  const { snapshot, record, host, exporters } = view
  return [
    ...Object.entries(host.reports).flatMap(([series, reports]) =>
      one('hostReporter', reports ? 1 : 0, { series }),
    ),
    ...record.components.flatMap(({ component, source, method }) =>
      one('sourceUp', method === 'unmeasured' || !isTold(component, snapshot) ? 0 : 1, {
        component,
        source: source ?? 'none',
      }),
    ),
    ...record.hosts.flatMap(({ source, powerWatts }) =>
      one('sourceUp', powerWatts === undefined ? 0 : 1, { component: 'host', source }),
    ),
    ...snapshot.problems.flatMap(({ subject, code, count }) =>
      one('sourceErrors', count, { source: subject, reason: code }),
    ),
    ...[...gapsBySource(snapshot)].flatMap(([source, gap]) => one('gapTime', gap, { source })),
    ...snapshot.readings.flatMap(({ domain: source, wraps }) =>
      Object.entries(wraps ?? {}).flatMap(([certainty, count]) =>
        one('counterWraps', count, { source, certainty }),
      ),
    ),
    ...exporters.flatMap(({ name, failures }) => one('exporterErrors', failures, { exporter: name })),
    ...one('runStart', fromMilliseconds(view.begunMs)),
    ...one('lastTick', fromMilliseconds(snapshot.at.wallMs)),
    ...one('measurementInterval', view.interval),
    ...one('selfCpu', snapshot.selfTime),
    ...one('selfEnergy', snapshot.selfEnergy),
    ...one('selfMemory', view.residentBytes),
  ]
}

/** Several problems may have left one source untold. */
function gapsBySource({ problems }: RunView['snapshot']): ReadonlyMap<string, number> {
  const gaps = new Map<string, number>()
  for (const { subject, gap } of problems) {
    if (gap > 0) gaps.set(subject, (gaps.get(subject) ?? 0) + gap)
  }
  return gaps
}

/** Whether somebody told of the component in the last reading, itself or as part of another one's figure. */
const isTold = (component: CountedComponent, { readings }: RunView['snapshot']): boolean =>
  readings.some((reading) => reading.component === component)

const given = <From extends number>(
  value: From | undefined,
  to: (value: From) => number,
  share = 1,
): number | undefined => (value === undefined ? undefined : to(value) * share)
