import type { Clock } from '../../core/clock.ts'
import type { JsonApi } from '../../http/json-api.ts'
import { CometRefusal } from './comet-refusal.ts'
import { isThere } from './is-there.ts'
import { weightOf, type Counted, type Item, type Outbox } from './outbox.ts'
import { toCall } from './to-call.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

/** What a sender is put together from. */
export interface SenderParts {
  readonly api: JsonApi
  readonly outbox: Outbox
  readonly experimentKey: string
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
  readonly requestMs: number
  readonly uploadMs: number
  /** Something has come. */
  readonly onCome: () => void
  /** Something did not come; of what is tried again, each time. */
  readonly onRefusal: (refusal: CometRefusal, item: Item) => void
  /** Nothing more will come: a person has to change something, or the server stays away. */
  readonly onGivenUp: (refusal: CometRefusal) => void
}

/** Sends what is in an outbox, in the background. */
export interface Sender {
  /** There is something to send. */
  kick(): void
  /** Resolves with true when all has come, and with false when it will not in that time. */
  drain(deadlineMs: number): Promise<boolean>
  /** Breaks off what is on its way; what has not come stays in the outbox. */
  stop(): void
}

/** Requests at a time. */
const mostAtOnce = 4
/** Half of what Comet allows by minute (documentation, Limits and performance). */
const perMinute: Readonly<Record<Counted, number>> = {
  metric: 6000,
  parameter: 5000,
  output: 6000,
  other: 4000,
}
const firstPauseMs = 500
const longestPauseMs = 5 * 60_000
/** The same while an end waits for it. */
const longestPauseAtEndMs = 500
/** A server that fails at the same thing so often fails because of it. */
const mostAttempts = 8
/** A server that has answered nothing for so long stays away. */
const patienceMs = 5 * 60_000

/** What concerns one thing alone; all other refusals that do not pass concern all that is to come. */
const ofOneThing: ReadonlySet<string> = new Set(['refused', 'space'])

/**
 * Sends four at a time, within half of Comet's limits. After a failure all wait: twice as long each time, of which a random part (full
 * jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and as long as the server asks for (`Retry-After`).
 */
export function createSender(parts: SenderParts): Sender {
  const { api, outbox, clock } = parts
  const buckets = Object.fromEntries(
    Object.entries(perMinute).map(([counted, rate]) => [counted, createTokenBucket(rate, clock)]),
  ) as Record<Counted, TokenBucket>
  const end = new AbortController()
  const nowMs = (): number => clock.now().monotonic * 1000
  const drained = new Set<() => void>()
  let onTheWay = 0
  let failures = 0
  let failingSinceMs: number | undefined
  /** Of our own accord, and as the server asked for. */
  let pausedUntilMs = -Infinity
  let askedUntilMs = -Infinity
  let cancelTimer: (() => void) | undefined
  let endsAtMs: number | undefined
  let isStopped = false

  function wakeIn(waitMs: number): void {
    cancelTimer?.()
    cancelTimer = clock.after(waitMs, () => {
      cancelTimer = undefined
      kick()
    })
  }

  function kick(): void {
    if (isStopped) return
    if (outbox.size === 0) tellDrained()
    const pauseMs = Math.max(pausedUntilMs, askedUntilMs) - nowMs()
    if (pauseMs > 0) {
      if (outbox.size > 0) wakeIn(pauseMs)
      return
    }
    while (onTheWay < mostAtOnce) {
      const item = outbox.take((one) => buckets[one.counted].take(weightOf(one)))
      if (item === undefined) break
      onTheWay += 1
      void send(item)
    }
    const waits = outbox.next().map((item) => buckets[item.counted].waitMs(weightOf(item)))
    const wait = Math.min(...waits)
    if (onTheWay < mostAtOnce && wait > 0 && wait < Infinity) wakeIn(wait)
  }

  function tellDrained(): void {
    for (const tell of drained) tell()
    drained.clear()
  }

  async function send(item: Item): Promise<void> {
    try {
      await deliver(item)
      if (isStopped) return
      outbox.done(item)
      failures = 0
      failingSinceMs = undefined
      parts.onCome()
    } catch (error) {
      if (isStopped) return
      failed(item, error)
    } finally {
      onTheWay -= 1
      kick()
    }
  }

  async function deliver({ message, isUncertain }: Item): Promise<void> {
    const { experimentKey, requestMs, uploadMs } = parts
    const { signal } = end
    const within = (usualMs: number): number =>
      endsAtMs === undefined ? usualMs : Math.min(usualMs, Math.max(1, endsAtMs - nowMs()))
    if (isUncertain && (await isThere(message, { api, experimentKey, timeoutMs: within(requestMs), signal })))
      return
    const call = await toCall(message, experimentKey)
    await api.call(call, within(message.type === 'asset' ? uploadMs : requestMs), signal)
  }

  function failed(item: Item, error: unknown): void {
    const refusal =
      error instanceof CometRefusal ? error : new CometRefusal('refused', 'is not given what cannot be sent')
    item.attempts += 1
    item.isUncertain ||= refusal.isUncertain
    const isPoison = refusal.kind === 'server' && item.attempts >= mostAttempts
    if (ofOneThing.has(refusal.kind) || isPoison) outbox.done(item)
    else outbox.putBack(item)
    parts.onRefusal(refusal, item)
    if (!refusal.mayPass) {
      if (!ofOneThing.has(refusal.kind)) parts.onGivenUp(refusal)
      return
    }
    pause(refusal)
    failingSinceMs ??= nowMs()
    if (nowMs() - failingSinceMs >= patienceMs) parts.onGivenUp(refusal)
  }

  /** Those that were sent together fail together, and count once. */
  function pause({ retryAfterMs = 0 }: CometRefusal): void {
    askedUntilMs = Math.max(askedUntilMs, nowMs() + retryAfterMs)
    if (pausedUntilMs > nowMs()) return
    failures += 1
    const longestMs = endsAtMs === undefined ? longestPauseMs : longestPauseAtEndMs
    pausedUntilMs = nowMs() + parts.random() * Math.min(longestMs, firstPauseMs * 2 ** (failures - 1))
  }

  return {
    kick,
    drain(deadlineMs) {
      endsAtMs = nowMs() + deadlineMs
      return new Promise((resolve) => {
        const cancel = clock.after(deadlineMs, () => {
          drained.delete(done)
          endsAtMs = undefined
          resolve(false)
        })
        const done = (): void => {
          cancel()
          endsAtMs = undefined
          resolve(true)
        }
        drained.add(done)
        // A pause of our own was meant for a long run.
        pausedUntilMs = -Infinity
        kick()
      })
    },
    stop() {
      isStopped = true
      cancelTimer?.()
      end.abort(new Error('the experiment has ended'))
      tellDrained()
    },
  }
}
