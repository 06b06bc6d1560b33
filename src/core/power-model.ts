import type { Estimate } from './estimate.ts'
import { watts, type Ratio, type Watts } from './units.ts'

/** What a CPU power estimate is made from. All of the whole machine, except the TDP. */
export interface CpuPowerInput {
  /** Thermal design power of one socket, as on the datasheet. */
  readonly tdpWatts: number
  /** Share of the logical CPUs that are busy, 0 to 1. */
  readonly utilisation: number
  /** @default 1 */
  readonly sockets?: number
  /** Known watts at full load, in place of the TDP. */
  readonly maxWatts?: number
  /** Known watts at idle. */
  readonly idleWatts?: number
}

/** Watts with the interval in which the true power is expected. */
export interface PowerEstimate {
  readonly watts: number
  readonly low: number
  readonly high: number
}

/**
 * Share of the TDP that a processor package draws at a load of 0, 10, 50 and 100 %. Averaged from RAPL readings of bare-metal servers
 * by Teads (2021), published in ccf-coefficients; concave, as measured curves are.
 */
const shape: readonly (readonly [load: number, shareOfTdp: number])[] = [
  [0, 0.12],
  [0.1, 0.32],
  [0.5, 0.75],
  [1, 1.02],
]

/**
 * Ends of the interval as multiples of the estimate. At 84 measured points of 8 machines (data/sources/power) the true power lay within
 * them at 83 %; test/core/power-model.test.ts holds that.
 */
const spread = { low: 0.5, high: 1.35 }

/**
 * Half of the error of the model is the level, not the shape: where the machine's own watts at full load are known, the same shapes
 * leave 11 to 13 % (accuracy figures in docs/accuracy.md).
 */
const spreadCalibrated = { low: 0.8, high: 1.2 }

/**
 * Power of the processor packages from how busy they are. A pure function: no clock, no files.
 *
 * Accuracy: 25 % mean absolute error over eleven machines, against 42 % for the cubic curve of CodeCarbon for Python.
 *
 * @returns watts of all packages together, memory not included; `low` and `high` hold the true value about four times in five.
 * @throws RangeError when a figure is not a finite number, or not positive where it must be.
 * @example
 * estimateCpuPower({ tdpWatts: 65, utilisation: 0.5 }) // { watts: 48.75, low: 24.4, high: 65.8 }
 */
export function estimateCpuPower(input: CpuPowerInput): PowerEstimate {
  const { utilisation, sockets = 1, maxWatts, idleWatts } = input
  check('utilisation', utilisation, 0)
  check('sockets', sockets, Number.MIN_VALUE)
  const top = maxWatts ?? shareOfTdp(1) * check('tdpWatts', input.tdpWatts, 0) * sockets
  const bottom = Math.min(idleWatts ?? (shareOfTdp(0) / shareOfTdp(1)) * top, top)
  check('maxWatts', top, 0)
  check('idleWatts', bottom, 0)

  const dynamic = (shareOfTdp(Math.min(1, utilisation)) - shareOfTdp(0)) / (shareOfTdp(1) - shareOfTdp(0))
  const power = bottom + (top - bottom) * dynamic
  const { low, high } = maxWatts === undefined ? spread : spreadCalibrated
  return { watts: power, low: power * low, high: power * high }
}

/** The estimate where nobody can tell how busy the processor is: half load, anything between idle and full. */
export function cpuPowerAtUnknownLoad(input: Omit<CpuPowerInput, 'utilisation'>): PowerEstimate {
  return {
    watts: estimateCpuPower({ ...input, utilisation: 0.5 }).watts,
    low: estimateCpuPower({ ...input, utilisation: 0 }).low,
    high: estimateCpuPower({ ...input, utilisation: 1 }).high,
  }
}

/**
 * Watts per GB of memory at a CPU load of 0, 10, 50 and 100 %: mean, least and most of the five AWS bare-metal machines whose memory
 * Teads measured by RAPL (data/sources/power/aws-metal.csv). Memory's own load is not readable; the CPU's stands for it.
 */
const memoryShape: readonly (readonly [load: number, mean: number, least: number, most: number])[] = [
  [0, 0.2, 0.15, 0.25],
  [0.1, 0.32, 0.25, 0.36],
  [0.5, 0.57, 0.4, 0.73],
  [1, 0.84, 0.6, 1.1],
]

/** Power of memory from its size (decimal GB) and how busy the CPUs are; without a load, anything between idle and full. */
export function estimateMemoryPower(gigabytes: number, utilisation?: Ratio): Estimate<Watts> {
  const at = (column: 1 | 2 | 3, load: number): Watts =>
    watts(
      gigabytes *
        interpolate(
          memoryShape.map((row) => [row[0], row[column]] as const),
          load,
        ),
    )
  if (utilisation === undefined) return { value: at(1, 0.1), low: at(2, 0), high: at(3, 1) }
  return { value: at(1, utilisation), low: at(2, utilisation), high: at(3, utilisation) }
}

const shareOfTdp = (load: number): number => interpolate(shape, load)

function interpolate(points: readonly (readonly [x: number, y: number])[], x: number): number {
  let [leftX, leftY] = points[0] ?? [0, 0]
  for (const [rightX, rightY] of points) {
    if (x <= rightX) {
      const width = rightX - leftX
      return width > 0 ? leftY + ((rightY - leftY) * (x - leftX)) / width : rightY
    }
    leftX = rightX
    leftY = rightY
  }
  return leftY
}

function check(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value
  throw new RangeError(`${name}: expected a number of at least ${least}, got ${value}`)
}
