import type { Estimate } from '../core/estimate.ts'
import { watts, type Ratio, type Watts } from '../core/units.ts'
import type { GpuPart } from './find-gpu.ts'

/** Idle watts of the table are typical readings, to be taken for right within this (data/gpu-power.json, `gpu-idle-typical`). */
const idleSpread = 0.4

/**
 * Power of a card from how busy it is: idle + (limit − idle) × utilisation.
 *
 * Utilisation is the share of time in which any kernel ran, however small it was. So while busy a card may draw what it draws with nothing
 * but a context, or its limit: these are the ends of the interval, around an idle power that is known within 40 %.
 */
export function estimateGpuPower(
  part: Pick<GpuPart, 'tdpWatts' | 'idleWatts' | 'idleWithContextWatts'>,
  utilisation: Ratio,
  powerLimit: Watts = watts(part.tdpWatts),
): Estimate<Watts> {
  const idle = Math.min(part.idleWatts, powerLimit)
  const context = Math.min(part.idleWithContextWatts ?? idle, powerLimit)
  const lowIdle = idle * (1 - idleSpread)
  const highIdle = Math.min(Math.max(idle, context) * (1 + idleSpread), powerLimit)
  const between = (from: number, to: number): Watts => watts(from + (to - from) * utilisation)
  return {
    value: between(idle, powerLimit),
    low: between(lowIdle, Math.max(lowIdle, context * (1 - idleSpread))),
    high: between(highIdle, powerLimit),
  }
}
