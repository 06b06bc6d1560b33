import type { Clock } from '../../core/clock.ts'
import { pause } from '../../http/pause.ts'
import { MlflowRefusal } from './mlflow-refusal.ts'

/** Until when something is tried, and how often. */
export interface Patience {
  /** On the monotonic clock, in milliseconds. */
  readonly untilMs: number
  /** One failure is enough: the next report tells as well. */
  readonly isLive: boolean
  readonly signal: AbortSignal
}

/** Does something again and again while what is wrong may pass. */
export interface Attempts {
  /** @throws MlflowRefusal; the reason of the signal where that broke it off */
  untilTaken<T>(ask: (leftMs: number) => Promise<T>, patience: Patience): Promise<T>
  /** The server failed a short while ago and is to be left alone. */
  isResting(): boolean
}

/** Between two attempts, doubled with each one, of which a random part is waited (full jitter). */
const firstPauseMs = 200
/** A server that fails is left alone by live reports for so long; doubled with each further failure. */
const firstRestMs = 2000
const longestRestMs = 60_000

export function createAttempts(clock: Clock, random: () => number): Attempts {
  const nowMs = (): number => clock.now().monotonic * 1000
  let failures = 0
  let restUntilMs = -Infinity
  let last: MlflowRefusal | undefined

  function note(refusal: MlflowRefusal): void {
    const restMs = Math.min(firstRestMs * 2 ** failures, longestRestMs)
    last = refusal
    restUntilMs = nowMs() + Math.max(restMs, refusal.retryAfterMs ?? 0)
    failures += 1
  }

  return {
    async untilTaken(ask, { untilMs, isLive, signal }) {
      for (let tries = 1; ; tries += 1) {
        try {
          const leftMs = untilMs - nowMs()
          if (leftMs <= 0) throw last ?? tooSlow()
          const answer = await ask(leftMs)
          failures = 0
          last = undefined
          return answer
        } catch (error) {
          if (!(error instanceof MlflowRefusal) || !error.mayPass) throw error
          note(error)
          const pauseMs = Math.max(error.retryAfterMs ?? 0, random() * firstPauseMs * 2 ** tries)
          if (isLive || nowMs() + pauseMs >= untilMs) throw error
          await pause(pauseMs, clock, signal)
        }
      }
    },
    isResting: () => last !== undefined && nowMs() < restUntilMs,
  }
}

const tooSlow = (): MlflowRefusal =>
  new MlflowRefusal('no answer', 'is slow: not all was sent in the time that there was')
