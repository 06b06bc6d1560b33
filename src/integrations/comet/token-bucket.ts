import type { Clock } from '../../core/clock.ts'

/** Lets a number of things a minute pass, with a tenth of a minute's in one go. */
export interface TokenBucket {
  /** Takes as many as are asked for, or none. */
  take(count: number): boolean
  /** Milliseconds until so many can be taken. */
  waitMs(count: number): number
}

/** A bucket that is full at first. More than it ever holds are taken when it is full, and owed. */
export function createTokenBucket(perMinute: number, clock: Clock): TokenBucket {
  const perMs = perMinute / 60_000
  const most = perMinute / 10
  let tokens = most
  let atMs = clock.now().monotonic * 1000

  function refill(): void {
    const nowMs = clock.now().monotonic * 1000
    tokens = Math.min(most, tokens + (nowMs - atMs) * perMs)
    atMs = nowMs
  }
  return {
    take(count) {
      refill()
      if (tokens < Math.min(count, most)) return false
      tokens -= count
      return true
    },
    waitMs(count) {
      refill()
      return Math.max(0, Math.ceil((Math.min(count, most) - tokens) / perMs))
    },
  }
}
