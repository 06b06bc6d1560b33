import { seconds, type Seconds } from './units.ts'

/** One moment, on both clocks. */
export interface Instant {
  /** Monotonic time since an arbitrary origin; the only clock that durations are made from. */
  readonly monotonic: Seconds
  /** Wall-clock time in milliseconds since 1970, for timestamps alone. */
  readonly wallMs: number
}

/** Where time comes from; tests hand in their own. */
export interface Clock {
  now(): Instant
  /** Calls back after a delay, without keeping the process alive; the result cancels. */
  after(delayMs: number, callback: () => void): () => void
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  now: () => ({ monotonic: seconds(performance.now() / 1000), wallMs: Date.now() }),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return () => {
      clearTimeout(timer)
    }
  },
}
