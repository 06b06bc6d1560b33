import type { ApiBody } from '../../codecarbon-api/codecarbon-api.ts'
import type { EmissionsData } from '../../core/emissions-data.ts'
import type { Report } from '../../core/exporter.ts'

/** What a run came to since its start: seconds, kg CO2eq and kWh with PUE, as in the CSV file. */
export interface Sums {
  readonly seconds: number
  readonly emissions: number
  readonly cpu: number
  readonly gpu: number
  readonly ram: number
  readonly energy: number
}

/** Means of a time: watts without PUE, and percent, which may be unknown. */
export interface Means {
  readonly cpuWatts: number
  readonly gpuWatts: number
  readonly ramWatts: number
  readonly cpuPercent: number | null
  readonly gpuPercent: number | null
  readonly ramPercent: number | null
}

/**
 * A run at the end of one of its slices. The sums are those since its start, so that a slice that is missing, or joined with the next, changes no
 * total.
 */
export interface Slice {
  /** Counts the slices of a run, from 1. */
  readonly n: number
  /** When it was measured, in milliseconds since 1970; later than the one before. */
  readonly wallMs: number
  readonly sums: Sums
  /** Of the time since the slice before, which is so many seconds long. */
  readonly means: Means
  readonly seconds: number
  /** Litres per kWh. */
  readonly wue: number
}

/** What the server has of a run. */
export interface Told {
  /** The last slice. */
  readonly n: number
  /** Whole seconds. */
  readonly duration: number
  /** What its emissions add up to, added one after the other. */
  readonly sums: Sums
}

export const noSums: Sums = { seconds: 0, emissions: 0, cpu: 0, gpu: 0, ram: 0, energy: 0 }
export const nothingTold: Told = { n: 0, duration: 0, sums: noSums }

/** The slice up to a report. What nobody could tell is 0: the API has no way to say so, and its own sums fail where one is missing. */
export function toSlice({ total, delta, snapshot }: Report, before: Slice | undefined): Slice {
  const least = before?.sums ?? noSums
  const grown = (name: keyof Sums, value: number | undefined): number => Math.max(value ?? 0, least[name])
  const seconds = grown('seconds', total.duration)
  return {
    n: (before?.n ?? 0) + 1,
    // A clock that was set back must not mix up their order.
    wallMs: Math.max(Math.round(snapshot.at.wallMs), (before?.wallMs ?? -Infinity) + 1),
    sums: {
      seconds,
      emissions: grown('emissions', total.emissions),
      cpu: grown('cpu', total.cpuEnergy),
      gpu: grown('gpu', total.gpuEnergy),
      ram: grown('ram', total.ramEnergy),
      energy: grown('energy', total.energyConsumed),
    },
    seconds: seconds - least.seconds,
    means: meansOf(delta),
    wue: total.wue,
  }
}

const meansOf = (delta: EmissionsData): Means => ({
  cpuWatts: Math.max(0, delta.cpuPower ?? 0),
  gpuWatts: Math.max(0, delta.gpuPower ?? 0),
  ramWatts: Math.max(0, delta.ramPower ?? 0),
  cpuPercent: percent(delta.cpuUtilizationPercent),
  gpuPercent: percent(delta.gpuUtilizationPercent),
  ramPercent: percent(delta.ramUtilizationPercent),
})

const percent = (value: number | undefined): number | null =>
  value === undefined ? null : Math.min(100, Math.max(0, value))

/** Two slices that follow one another, as one. */
export function joinSlices(first: Slice, second: Slice): Slice {
  const seconds = first.seconds + second.seconds
  const share = seconds > 0 ? second.seconds / seconds : 1
  const mean = <Value extends number | null>(a: Value, b: Value): Value =>
    (a === null || b === null ? (b ?? a) : a * (1 - share) + b * share) as Value
  const means = Object.fromEntries(
    (Object.keys(second.means) as (keyof Means)[]).map((name) => [
      name,
      mean(first.means[name], second.means[name]),
    ]),
  ) as unknown as Means
  return { ...second, seconds, means }
}

/** A last slice of a run that has none, which tells the time that is still to be told; `undefined` where there is no such time. */
export function closingSlice(last: Slice, told: Told): Slice | undefined {
  if (told.n !== last.n || told.duration >= wholeSeconds(last.sums)) return undefined
  return { ...last, n: last.n + 1, wallMs: last.wallMs + 1, seconds: 0 }
}

/** The whole seconds of a run, of which none is too short to be told. */
const wholeSeconds = ({ seconds }: Sums): number => Math.max(1, Math.round(seconds))

/** An emission, and what the server has when it has taken it. */
export interface Emission {
  readonly body: ApiBody
  readonly told: Told
}

/**
 * The emission that brings the server up to a slice; `undefined` where there is no whole second to be told yet, and it has to be joined with the next.
 *
 * The API takes whole seconds, and none without one. So the last second of a run is held back until its end, and in between as much is told as makes
 * all of them add up to the run's duration, rounded. Energies and emissions are what is missing to the sums of the slice, which the server's sums
 * then are to the last bit.
 */
export function toEmission(runId: string, slice: Slice, told: Told, isLast: boolean): Emission | undefined {
  const whole = wholeSeconds(slice.sums)
  const duration = isLast ? Math.max(1, whole - told.duration) : whole - 1 - told.duration
  if (duration < 1) return undefined
  const missing = (name: keyof Sums): number => missingTo(slice.sums[name], told.sums[name])
  const [emissions, cpu, gpu, ram, energy] = [
    missing('emissions'),
    missing('cpu'),
    missing('gpu'),
    missing('ram'),
    missing('energy'),
  ]
  const seconds = slice.sums.seconds - told.sums.seconds
  const { means } = slice
  return {
    told: tell(told, slice, { duration, emissions, cpu, gpu, ram, energy }),
    body: {
      timestamp: new Date(slice.wallMs).toISOString(),
      run_id: runId,
      duration,
      emissions_sum: emissions,
      emissions_rate: seconds > 0 ? emissions / seconds : 0,
      cpu_power: means.cpuWatts,
      gpu_power: means.gpuWatts,
      ram_power: means.ramWatts,
      cpu_energy: cpu,
      gpu_energy: gpu,
      ram_energy: ram,
      energy_consumed: energy,
      cpu_utilization_percent: means.cpuPercent,
      gpu_utilization_percent: means.gpuPercent,
      ram_utilization_percent: means.ramPercent,
      wue: slice.wue,
    },
  }
}

/** Amounts of one emission. */
export type Amounts = Omit<Sums, 'seconds'> & { readonly duration: number }

/** What the server has when it has taken that as well. */
export function tell(told: Told, { n, sums: { seconds } }: Slice, amounts: Amounts): Told {
  const add = (name: keyof Omit<Sums, 'seconds'>): number => told.sums[name] + amounts[name]
  return {
    n,
    duration: told.duration + amounts.duration,
    sums: {
      seconds,
      emissions: add('emissions'),
      cpu: add('cpu'),
      gpu: add('gpu'),
      ram: add('ram'),
      energy: add('energy'),
    },
  }
}

/**
 * What, added to the one, gives the other. A difference that cannot be told exactly is smaller than half of the last bit of the sum, so that rounding the
 * sum makes up for it; of a tie, which may be rounded the other way, it is one bit more.
 */
function missingTo(sum: number, told: number): number {
  const difference = Math.max(0, sum - told)
  if (told + difference === sum || difference === 0) return difference
  const bit = difference * Number.EPSILON
  return [difference + bit, difference - bit].find((value) => told + value === sum) ?? difference
}
