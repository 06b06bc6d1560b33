import { ApiRefusal } from '../../codecarbon-api/api-refusal.ts'
import type { CodecarbonApi } from '../../codecarbon-api/codecarbon-api.ts'
import type { Clock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import { RunDelivery } from './run-delivery.ts'
import { RunFile } from './run-file.ts'
import type { Spool } from './spool.ts'

/** What a courier is put together from. */
export interface CourierParts {
  readonly api: CodecarbonApi
  readonly spool: Spool
  /** Address whose runs are delivered. */
  readonly endpoint: string
  readonly clock: Clock
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number
  /** Something did not come. The words go on after the server's name. */
  readonly onTrouble: (refusal: ApiRefusal, trouble: Trouble) => void
  /** It comes again after trouble. */
  readonly onRecovery: () => void
  readonly onMayComeTwice: () => void
  /** When so many runs in a row are not taken, runs that others left behind are not tried any more. @default Infinity */
  readonly mostStuck?: number
  /** A run that another process left behind is delivered. */
  readonly onDelivered?: (path: string, slices: number) => void
}

/** What did not come, and what becomes of it. */
export interface Trouble {
  /** It is of the own run, and not of one that another process left behind. */
  readonly isOwn: boolean
  /** Else a person has to change something. */
  readonly isTriedAgain: boolean
}

/** Delivers runs in the background: the own one first, then those that other processes have left behind. */
export interface Courier {
  /** From now on this run is delivered as well, before all others. */
  carry(own: RunFile): void
  /** There is something to send. */
  kick(): void
  /** Nothing more will be added to the own run. */
  endOwn(): void
  /**
   * Sends what it can in that time.
   * @param scope whether those that others left behind are waited for, too
   */
  drain(timeoutMs: number, scope: 'own' | 'all'): Promise<void>
  /** Whether the server has all of the own run. */
  readonly isOwnDone: boolean
  /** Slices of the own run that are still to be sent. */
  readonly ownLeft: number
  /** Slices that were sent, of all runs. */
  readonly sent: number
  /** Runs that others left behind, and that could not be delivered so far. */
  readonly leftBehind: readonly string[]
  /** Whether some of these are still to be tried. */
  readonly hasMore: boolean
  /** Breaks off what is on its way, and lets go of all files. */
  stop(): void
}

const requestMs = 10_000
const firstPauseMs = 1000
const longestPauseMs = 5 * 60_000
/** The same while an end waits for it. */
const firstPauseAtEndMs = 100
const longestPauseAtEndMs = 500
/** At an end nobody waits for a server that cannot be reached at all to be there after all. */
const mostTriesAtEnd = 3
/** Slices in a row that a server refuses, each with all that was refused before: it takes none. */
const mostRefusals = 3
/** What a person has to change may be changed while the run goes on, or be the page of a network to log in to. */
const stuckMs = 60 * 60_000
/** Between two looks for runs that others left behind. */
const lookAgainMs = 10 * 60_000

/**
 * After a failure it waits: twice as long each time, of which a random part (full jitter,
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and as long as the server asks for (`Retry-After`).
 */
export function createCourier(parts: CourierParts): Courier {
  const { api, spool, endpoint, clock, random = Math.random, mostStuck = Infinity } = parts
  const nowMs = (): number => clock.now().monotonic * 1000
  const end = new AbortController()
  const left = new Set<string>()
  let own: RunDelivery | undefined
  let stuckUntilMs = -Infinity
  /** Runs in a row that were left behind again. */
  let stuck = 0
  let other: RunDelivery | undefined
  let queue: string[] = []
  let lookedAtMs = -Infinity
  let isRunning = false
  let isStopped = false
  let failures = 0
  let isTroubled = false
  let refusals = 0
  let sent = 0
  let pausedUntilMs = -Infinity
  let askedUntilMs = -Infinity
  let cancelTimer: (() => void) | undefined
  /** Whoever waits, until when, and for what. */
  let waiter: { readonly untilMs: number; readonly isForAll: boolean; readonly done: () => void } | undefined

  const within = (): number =>
    waiter === undefined ? requestMs : Math.max(1, Math.min(requestMs, waiter.untilMs - nowMs()))

  const deliver = (file: RunFile, isTakenOver: boolean): RunDelivery =>
    new RunDelivery({ file, api, isTakenOver, onMayComeTwice: parts.onMayComeTwice })

  /** What is to be delivered now. */
  function current(): RunDelivery | undefined {
    if (own !== undefined && nowMs() >= stuckUntilMs && !own.isIdle) return own
    if ((waiter !== undefined && !waiter.isForAll) || stuck >= mostStuck) return undefined
    for (;;) {
      if (other !== undefined && !other.isIdle) return other
      if (other !== undefined) letGo(true)
      const path = nextPath()
      if (path === undefined) return undefined
      other = takeOver(path)
    }
  }

  function nextPath(): string | undefined {
    if (queue.length === 0 && nowMs() - lookedAtMs >= lookAgainMs) {
      lookedAtMs = nowMs()
      queue = spool.waitingFor(endpoint).filter((path) => path !== own?.file.path && !left.has(path))
    }
    return queue.shift()
  }

  function takeOver(path: string): RunDelivery | undefined {
    try {
      const file = RunFile.takeOver(path)
      return file === undefined ? undefined : deliver(file, true)
    } catch (error) {
      left.add(path)
      parts.onTrouble(new ApiRefusal('refused', `is not given ${path}: ${messageOf(error)}`), {
        isOwn: false,
        isTriedAgain: false,
      })
      return undefined
    }
  }

  function letGo(isDelivered: boolean): void {
    if (other === undefined) return
    const { file, sent: slices } = other
    other = undefined
    if (!isDelivered) left.add(file.path)
    file.close(isDelivered)
    if (isDelivered) parts.onDelivered?.(file.path, slices)
  }

  async function run(): Promise<void> {
    if (isRunning || isStopped) return
    const pauseMs = Math.max(pausedUntilMs, askedUntilMs) - nowMs()
    if (pauseMs > 0) {
      wakeIn(pauseMs)
      return
    }
    isRunning = true
    try {
      for (;;) {
        const next = isStopped ? undefined : current()
        if (next === undefined) break
        if (!(await attempt(next))) return
      }
      waiter?.done()
    } catch (error) {
      // Nobody waits for this, and nothing may be thrown into the program.
      parts.onTrouble(new ApiRefusal('refused', `is not asked: ${messageOf(error)}`), {
        isOwn: true,
        isTriedAgain: false,
      })
      waiter?.done()
    } finally {
      isRunning = false
    }
  }

  /** @returns whether to go on at once */
  async function attempt(delivery: RunDelivery): Promise<boolean> {
    const before = delivery.sent
    try {
      await delivery.step({ timeoutMs: within(), signal: end.signal })
      sent += delivery.sent - before
      if (isTroubled) parts.onRecovery()
      isTroubled = false
      failures = 0
      refusals = 0
      stuck = 0
      return true
    } catch (error) {
      return !isStopped && failed(delivery, error)
    }
  }

  function failed(delivery: RunDelivery, error: unknown): boolean {
    isTroubled = true
    const refusal =
      error instanceof ApiRefusal ? error : new ApiRefusal('refused', `is not asked: ${messageOf(error)}`)
    if (refusal.mayPass) {
      parts.onTrouble(refusal, { isOwn: delivery === own, isTriedAgain: true })
      pause(refusal)
      return false
    }
    // What one slice is refused for may be no fault of both together.
    const isJoined = refusal.kind === 'refused' && ++refusals < mostRefusals && delivery.file.joinOldest()
    if (isJoined) return true
    refusals = 0
    if (delivery === own) stuckUntilMs = nowMs() + stuckMs
    else letGo(false)
    stuck += 1
    parts.onTrouble(refusal, { isOwn: delivery === own, isTriedAgain: false })
    return true
  }

  function pause({ kind, retryAfterMs = 0 }: ApiRefusal): void {
    failures += 1
    const [firstMs, longestMs] =
      waiter === undefined ? [firstPauseMs, longestPauseMs] : [firstPauseAtEndMs, longestPauseAtEndMs]
    pausedUntilMs = nowMs() + random() * Math.min(longestMs, firstMs * 2 ** (failures - 1))
    askedUntilMs = nowMs() + retryAfterMs
    const isHopeless = kind === 'unreachable' && failures >= mostTriesAtEnd
    if (waiter !== undefined && (isHopeless || askedUntilMs >= waiter.untilMs)) waiter.done()
    else wakeIn(Math.max(pausedUntilMs, askedUntilMs) - nowMs())
  }

  function wakeIn(waitMs: number): void {
    cancelTimer?.()
    cancelTimer = clock.after(Math.max(1, Math.ceil(waitMs)), () => {
      cancelTimer = undefined
      void run()
    })
  }

  return {
    carry(file) {
      own = deliver(file, false)
    },
    kick: () => void run(),
    endOwn() {
      own?.end()
    },
    drain(timeoutMs, scope) {
      waiter?.done()
      return new Promise((resolve) => {
        const cancel = clock.after(timeoutMs, () => waiter?.done())
        waiter = {
          untilMs: nowMs() + timeoutMs,
          isForAll: scope === 'all',
          done() {
            cancel()
            waiter = undefined
            resolve()
          },
        }
        // A pause of our own was meant for a long run.
        failures = 0
        pausedUntilMs = -Infinity
        if (askedUntilMs >= waiter.untilMs) waiter.done()
        else void run()
      })
    },
    get isOwnDone() {
      return own?.isDone ?? true
    },
    get ownLeft() {
      return own?.left ?? 0
    },
    get sent() {
      return sent
    },
    get hasMore() {
      return queue.length > 0 || other !== undefined
    },
    get leftBehind() {
      return [...left, ...queue, ...(other === undefined ? [] : [other.file.path])]
    },
    stop() {
      if (isStopped) return
      isStopped = true
      cancelTimer?.()
      end.abort(new Error('the run has ended'))
      letGo(false)
      waiter?.done()
    },
  }
}
