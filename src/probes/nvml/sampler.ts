import type { Clock } from '../../core/clock.ts'
import type { GpuMeter } from './gpu-meter.ts'

/** Cards renew what they show every 20 to 100 ms (Alumet): twice as often is enough to see every value. */
const leastMilliseconds = 10
/** Looking may take at most this share of the host program's time: old cards take a millisecond to answer. */
const mostShare = 0.01

/** Looks at cards between readings. */
export interface Sampler {
  /** Begins where there is a card that wants it; to be called when that may have changed. */
  wake(): void
  stop(): void
}

/**
 * Looks at cards that show their power, or only how busy they are, twice in their own period. Counters lose nothing without it: where all
 * cards have one, nothing is done. Its timers keep no process alive.
 */
export function createSampler(clock: Clock, meters: () => readonly GpuMeter[]): Sampler {
  let cancel: (() => void) | undefined

  function schedule(costMilliseconds: number): void {
    const periods = meters().flatMap(({ period }) => period ?? [])
    if (periods.length === 0) return
    const wanted = (Math.min(...periods) / 2) * 1000
    cancel = clock.after(Math.max(leastMilliseconds, wanted, costMilliseconds / mostShare), look)
  }

  function look(): void {
    cancel = undefined
    const begin = clock.now().monotonic
    for (const meter of meters()) meter.look(begin)
    schedule((clock.now().monotonic - begin) * 1000)
  }

  return {
    wake() {
      if (cancel === undefined) schedule(0)
    },
    stop() {
      cancel?.()
      cancel = undefined
    },
  }
}
