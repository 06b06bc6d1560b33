import type { Estimate } from './estimate.ts'
import { frequencyExponent, powerCurve, type Knot, type Spread } from './power-curve.ts'
import { watts, type Ratio, type Watts } from './units.ts'

/** What a CPU power estimate is made from. All of the whole machine, except the TDP. */
export interface CpuPowerInput {
  /** Thermal design power of one socket, as on the datasheet. */
  readonly tdpWatts: number
  /** Share of the logical CPUs' time that was busy, 0 to 1. */
  readonly utilisation: number
  /** @default 1 */
  readonly sockets?: number
  /** Accepted, but without influence: no model that used the number of cores or threads was better on machines it had not seen. */
  readonly cores?: number
  /** As `cores`. */
  readonly threads?: number
  /** Mean frequency of the CPUs over their base frequency, the one the TDP is meant for; above 1 counts as 1. @default 1 */
  readonly frequencyRatio?: number
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
 * Power of the processor packages from how busy they are. A pure function: no clock, no files.
 *
 * P = TDP × (s(0) + (s(L) − s(0)) × min(1, f / base)^b), where s is a line through the shares of the TDP at a load L of 0, 10, 50 and
 * 100 % and b an exponent, all in power-curve.ts. Known watts at idle and at full load take the place of the ends.
 *
 * Mean absolute error at machines that it was not fitted to (docs/accuracy.md): 18 % over eleven servers and workstations, against 42 %
 * for the cubic curve of CodeCarbon for Python, and 24 % with six laptop and desktop processors; 25 % and 28 % where no frequency is
 * known; 9 to 12 % where the watts at idle and at full load are.
 *
 * @returns watts of all packages together, memory not included; `low` and `high` hold the true value at least four times in five.
 * @throws RangeError when a figure is not a finite number, or not positive where it must be.
 * @example
 * estimateCpuPower({ tdpWatts: 65, utilisation: 0.5 }) // { watts: 48.9, low: 25.4, high: 66.0 }
 */
export function estimateCpuPower(input: CpuPowerInput): PowerEstimate {
  const { utilisation, sockets = 1, frequencyRatio = 1, maxWatts, idleWatts } = input
  check('utilisation', utilisation, 0)
  check('sockets', sockets, Number.MIN_VALUE)
  check('frequencyRatio', frequencyRatio, 0)
  const assumed = check(
    'maxWatts',
    maxWatts ?? full.share * check('tdpWatts', input.tdpWatts, 0) * sockets,
    0,
  )
  // Who draws that much idle draws no less at full load, whatever the TDP says.
  const top = maxWatts === undefined ? Math.max(assumed, idleWatts ?? 0) : assumed
  const bottom = Math.min(check('idleWatts', idleWatts ?? (idle.share / full.share) * top, 0), top)

  const known = powerCurve.map((knot) => {
    const part = (knot.share - idle.share) / (full.share - idle.share)
    const power = bottom + (top - bottom) * part
    const spread = spreadAt(knot, maxWatts !== undefined, idleWatts !== undefined)
    return { load: knot.load, watts: power, low: spread.low * power, high: spread.high * power }
  })
  const factor = Math.min(1, frequencyRatio) ** (maxWatts === undefined ? frequencyExponent : 1)
  const at = (values: readonly number[]): number => {
    const [start = 0] = values
    const points = known.map(({ load }, index) => [load, values[index] ?? start] as const)
    return start + (interpolate(points, utilisation) - start) * factor
  }
  // More load is never less power, at the ends of the interval too.
  return {
    watts: at(known.map((knot) => knot.watts)),
    low: at(known.map((_, index) => Math.max(...known.slice(0, index + 1).map(({ low }) => low)))),
    high: at(known.map((_, index) => Math.min(...known.slice(index).map(({ high }) => high)))),
  }
}

/** How the processors' power can be estimated: by the model of this package, or as CodeCarbon for Python does, to compare with its figures. */
export type CpuPowerModelName = 'default' | 'codecarbon' | 'constant'

/**
 * The models by name. Whichever gives the value, the interval is that of the default model, widened to hold the value: what the power
 * may be does not depend on the formula. Known watts at full load stand for the TDP.
 *
 * - `codecarbon`: TDP × (0.1 + 0.9 L³), the curve of CodeCarbon 3.3 (codecarbon/external/hardware.py)
 * - `constant`: half the TDP at any load, what CodeCarbon falls back to
 */
export const cpuPowerModels: Readonly<Record<CpuPowerModelName, (input: CpuPowerInput) => PowerEstimate>> = {
  default: estimateCpuPower,
  codecarbon: (input) => withValue(input, 0.1 + 0.9 * Math.min(1, input.utilisation) ** 3),
  constant: (input) => withValue(input, 0.5),
}

function withValue(input: CpuPowerInput, share: number): PowerEstimate {
  const { low, high } = estimateCpuPower(input)
  const power = share * (input.maxWatts ?? input.tdpWatts * (input.sockets ?? 1))
  return { watts: power, low: Math.min(low, power), high: Math.max(high, power) }
}

/** The estimate where nobody can tell how busy the processor is: half load, anything between idle and full. */
export function cpuPowerAtUnknownLoad(
  input: Omit<CpuPowerInput, 'utilisation'>,
  model: CpuPowerModelName = 'default',
): PowerEstimate {
  const estimate = cpuPowerModels[model === 'codecarbon' ? 'constant' : model]
  return {
    watts: estimate({ ...input, utilisation: 0.5 }).watts,
    low: estimate({ ...input, utilisation: 0 }).low,
    high: estimate({ ...input, utilisation: 1 }).high,
  }
}

const [idle, full] = [powerCurve[0], powerCurve[3]]

/** The share of the TDP that the default model reaches at full load. */
export const fullLoadShare: number = full.share

/** How far the truth may be from the estimate at a knot, by what is known of the machine. */
function spreadAt(knot: Knot, isMaxKnown: boolean, isIdleKnown: boolean): Spread {
  if (isMaxKnown) return isIdleKnown ? knot.both : knot.max
  return isIdleKnown && knot.load === 0 ? knot.both : knot.tdp
}

/**
 * Watts per GB of memory at a CPU load of 0, 10, 50 and 100 %: mean, least and most of the seven AWS bare-metal machines whose memory
 * Teads measured by RAPL (data/sources/power/aws-metal.csv). Memory's own load is not readable; the CPU's stands for it.
 */
const memoryShape: readonly (readonly [load: number, mean: number, least: number, most: number])[] = [
  [0, 0.18, 0.13, 0.25],
  [0.1, 0.3, 0.23, 0.36],
  [0.5, 0.56, 0.4, 0.73],
  [1, 0.84, 0.6, 1.1],
]

/**
 * What low-power memory (LPDDR) draws of that. Nobody measured it; Micron says of LPDDR5X beside DDR5 at the same speed that it draws
 * 43 to 58 % less in use and up to 80 % less in standby (launch of LPCAMM2, January 2024). A maker's word moves the value and the low
 * end; the high end stays until somebody measures.
 */
const lowPowerShare = { value: 0.5, low: 0.2, high: 1 }
const usualShare = { value: 1, low: 1, high: 1 }

/** Power of memory, and the part of it that is there because the machine is busy. */
export interface MemoryPower extends Estimate<Watts> {
  readonly dynamic: Watts
}

/**
 * Power of memory from its size (decimal GB), how busy the CPUs are, and whether all of it is of a low-power kind; without a load, anything
 * between idle and full, of which no part is told to be dynamic.
 */
export function estimateMemoryPower(gigabytes: number, utilisation?: Ratio, isLowPower = false): MemoryPower {
  const share = isLowPower ? lowPowerShare : usualShare
  const at = (column: 1 | 2 | 3, load: number): number =>
    gigabytes *
    interpolate(
      memoryShape.map((row) => [row[0], row[column]] as const),
      load,
    )
  return {
    value: watts(share.value * at(1, utilisation ?? 0.1)),
    low: watts(share.low * at(2, utilisation ?? 0)),
    high: watts(share.high * at(3, utilisation ?? 1)),
    dynamic: watts(utilisation === undefined ? 0 : share.value * (at(1, utilisation) - at(1, 0))),
  }
}

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
