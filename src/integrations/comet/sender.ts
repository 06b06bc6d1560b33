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
  readonly onRefusal: (refusal: CometRefusal, item: Item, fate: Fate) => void
  /** Nothing more will come: a person has to change something, or the server stays away. */
  readonly onGivenUp: (refusal: CometRefusal) => void
}

/** What becomes of something that did not come: it is sent again, kept but not sent again, or left out because it is wrong. */
export type Fate = 'again' | 'set aside' | 'left out'

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
  file: 500,
  other: 3500,
}
const firstPauseMs = 500
const longestPauseMs = 5 * 60_000
/** The same while an end waits for it. */
const longestPauseAtEndMs = 500
/** A server that fails at the same thing so often, while other things come, fails because of it. */
const mostAttempts = 8
/** A server that refuses one kind of message so often, and takes nothing in between, takes no more. */
const mostRefusals = 8
/** A server that has answered nothing for so long stays away. */
const patienceMs = 5 * 60_000

/** An address that is not there, or not for this key: of one kind of message alone, where others come. */
const ofOneKind: ReadonlySet<string> = new Set(['access', 'address'])

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
  let isFileOnTheWay = false
  /** Things that have come. */
  let come = 0
  /** Kinds of messages that were refused as such since something came. */
  let refusedKinds: string[] = []
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
    cancelTimer = clock.after(Math.ceil(waitMs), () => {
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
      const item = outbox.take(maySend)
      if (item === undefined) break
      onTheWay += 1
      isFileOnTheWay ||= item.counted === 'file'
      void send(item)
    }
    const waits = outbox.next().map((item) => buckets[item.counted].waitMs(weightOf(item)))
    const wait = Math.min(...waits.filter((ms) => ms > 0))
    if (onTheWay < mostAtOnce && wait < Infinity) wakeIn(wait)
  }

  /** Files one by one: each is in memory while it is sent. */
  function maySend(item: Item): boolean {
    if (item.counted === 'file' && isFileOnTheWay) return false
    return buckets[item.counted].take(weightOf(item))
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
      come += 1
      refusedKinds = []
      failures = 0
      failingSinceMs = undefined
      parts.onCome()
    } catch (error) {
      if (isStopped) return
      failed(item, error)
    } finally {
      onTheWay -= 1
      if (item.counted === 'file') isFileOnTheWay = false
      kick()
    }
  }

  async function deliver({ message, isUncertain, copies }: Item): Promise<void> {
    const { experimentKey, requestMs, uploadMs } = parts
    const { signal } = end
    const within = (usualMs: number): number =>
      endsAtMs === undefined ? usualMs : Math.min(usualMs, Math.max(1, endsAtMs - nowMs()))
    const asking = { api, experimentKey, timeoutMs: within(requestMs), signal }
    if (isUncertain && (await isThere(message, copies, asking))) return
    const call = await toCall(message, experimentKey)
    await api.call(call, within(message.type === 'asset' ? uploadMs : requestMs), signal)
  }

  function failed(item: Item, error: unknown): void {
    const refusal =
      error instanceof CometRefusal ? error : new CometRefusal('refused', 'is not given what cannot be sent')
    item.attempts += 1
    item.isUncertain ||= refusal.isUncertain
    item.cameBefore ??= come
    const fate = fateOf(item, refusal)
    if (fate === undefined) {
      outbox.putBack(item)
      parts.onGivenUp(refusal)
      return
    }
    if (fate === 'left out') outbox.done(item)
    else if (fate === 'set aside') outbox.setAside(item)
    else {
      outbox.putBack(item)
      pause(refusal)
    }
    parts.onRefusal(refusal, item, fate)
  }

  /** `undefined` where nothing more will come at all. */
  function fateOf({ message, attempts, cameBefore = 0 }: Item, refusal: CometRefusal): Fate | undefined {
    if (refusal.kind === 'refused') return 'left out'
    if (refusal.kind === 'space') return 'set aside'
    if (refusal.mayPass) {
      if (refusal.isUncertain && attempts >= mostAttempts && come > cameBefore) return 'set aside'
      failingSinceMs ??= nowMs()
      const isPatient = nowMs() - failingSinceMs < patienceMs && (refusal.retryAfterMs ?? 0) <= patienceMs
      return isPatient ? 'again' : undefined
    }
    refusedKinds.push(message.type)
    const isOfOneKind = new Set(refusedKinds).size === 1 && refusedKinds.length < mostRefusals
    return come > 0 && ofOneKind.has(refusal.kind) && isOfOneKind ? 'set aside' : undefined
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
          resolve(outbox.left === 0)
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
      // What is left then goes to an archive, if anywhere.
      tellDrained()
    },
  }
}
