import type { Clock, Instant } from '../../core/clock.ts'
import type { IntensityRecord } from '../../core/emissions-data.ts'
import type { Problem } from '../../core/problem.ts'
import { fromMilliseconds, type Seconds } from '../../core/units.ts'
import { httpRequest, type Fetch } from '../../http/http-request.ts'
import { mostRetryAfterMs } from '../../http/retry-after.ts'
import { askProvider } from './ask-provider.ts'
import { IntensityUnavailable, type FailureKind, type LiveProvider, type LiveValue } from './provider.ts'
import { createValueCache, type Kept, type ValueCache } from './value-cache.ts'

/** Options of {@link createLiveIntensity}. */
export interface LiveIntensityOptions {
  /** The service to ask, as `chooseProvider` gives it. One: figures of several would be mixed. */
  readonly provider: LiveProvider
  /** The yearly figure, for the time in which there is no live one. */
  readonly fallback: IntensityRecord
  readonly clock: Clock
  /**
   * Told of the first failure of each kind until the service answers again, and each time that the yearly figure takes the place of a live
   * one. May be called from within {@link LiveIntensity.current}.
   */
  readonly onProblem: (problem: Problem) => void
  /** Told once when a live value comes into use, or the service answers again. */
  readonly onNotice?: ((message: string) => void) | undefined
  /** Where values are kept for other runs; `undefined` keeps none. Holds no token. */
  readonly cacheFile?: string | undefined
  /** Makes the folder of `cacheFile`. */
  readonly makeDirectory?: ((path: string) => void) | undefined
  /** `globalThis.fetch` would do, and keep the program waiting. @default httpRequest */
  readonly fetch?: Fetch | undefined
  /** From 0 to 1, for the times between requests. @default Math.random */
  readonly random?: (() => number) | undefined
  /** Time from one answer to the next request, in milliseconds. @default 900_000 */
  readonly refreshMs?: number | undefined
  /** Values that are older by the service's own time are not used, in milliseconds. @default 3 h */
  readonly maxAgeMs?: number | undefined
  /** For a whole exchange, in milliseconds. @default 5000 */
  readonly timeoutMs?: number | undefined
}

/** The carbon intensity of this moment, and whose it is. Assignable to the record of a run. */
export interface CurrentIntensity extends IntensityRecord {
  /** `false`: the yearly figure. */
  readonly isLive: boolean
  /** Beginning of the time that a live value is about, in milliseconds since 1970; `undefined` for the yearly figure. */
  readonly observedAtMs: number | undefined
  /** Time since then. */
  readonly age: Seconds | undefined
  /** Whether the service estimated or forecast it; `undefined` where nobody says. */
  readonly isEstimated: boolean | undefined
}

/** Keeps the carbon intensity of the moment. */
export interface LiveIntensity {
  /** Takes a value that an earlier run kept, or begins to ask. Returns at once; idempotent. */
  start(): void
  /** The figure for this moment. Never waits and never throws. */
  current(): CurrentIntensity
  /** Resolves when no request is under way, for programs that want to wait for the first. Never rejects. */
  settled(): Promise<void>
  /** Breaks off a request that is under way and asks no more. `current()` goes on with what there is. Idempotent. */
  close(): void
}

/**
 * Keeps the carbon intensity of the moment from one service, in the background: at most one request at a time, none before it is due. Does
 * nothing before `start()`, keeps no process alive and throws nothing into it.
 *
 * @example
 * const { provider, problems } = chooseProvider(options, place)
 * const live = provider && createLiveIntensity({ provider, fallback: yearly, clock, onProblem, cacheFile, makeDirectory })
 * live?.start()
 * const intensity = () => live?.current() ?? yearly
 */
export function createLiveIntensity(options: LiveIntensityOptions): LiveIntensity {
  return new LiveIntensityKeeper(options)
}

const defaultRefreshMs = 15 * 60_000
const defaultMaxAgeMs = 180 * 60_000
const defaultTimeoutMs = 5000
/** Clocks differ. A value further ahead than this tells that one of them is wrong. */
const mostAheadMs = 60 * 60_000
/** Requests after failures: at a random moment of a time that doubles from the first of these to the last, but not before `leastWaitMs`. */
const firstWaitMs = 60_000
const lastWaitMs = 60 * 60_000
const leastWaitMs = 5000
/** So that many processes that began together do not ask together: the first finds what the others then read from the file. */
const refreshSpread = 0.1
/** The machine slept through a request that was due where the wall clock says so by this much. */
const overdueMs = 5000

/** A value and when it came: its age does not go back where the wall clock is set. */
interface Held {
  readonly value: LiveValue
  readonly fetchedAtMs: number
  readonly at: Instant
}

class LiveIntensityKeeper implements LiveIntensity {
  readonly #options: LiveIntensityOptions
  readonly #refreshMs: number
  readonly #maxAgeMs: number
  readonly #random: () => number
  readonly #cache: ValueCache | undefined
  readonly #closing = new AbortController()
  /** Kinds of failures that were told since the service last answered. */
  readonly #told = new Set<FailureKind>()
  #held: Held | undefined
  /** Whether the last thing said was that a live value is in use. */
  #isLive = false
  #failures = 0
  #due: Instant | undefined
  #cancelTimer: (() => void) | undefined
  #underWay: Promise<void> | undefined
  #hasStarted = false

  constructor(options: LiveIntensityOptions) {
    this.#options = options
    this.#refreshMs = options.refreshMs ?? defaultRefreshMs
    this.#maxAgeMs = options.maxAgeMs ?? defaultMaxAgeMs
    this.#random = options.random ?? Math.random
    const { cacheFile, makeDirectory = () => undefined } = options
    this.#cache =
      cacheFile === undefined
        ? undefined
        : createValueCache({
            file: cacheFile,
            makeDirectory,
            random: this.#random,
            onTrouble: (why) => {
              this.#notice(`carbon intensities cannot be kept in ${cacheFile} for other runs: ${why}`)
            },
          })
  }

  start(): void {
    if (this.#hasStarted || this.#isClosed) return
    this.#hasStarted = true
    this.#tick()
  }

  current(): CurrentIntensity {
    const now = this.#options.clock.now()
    const age = this.#usableAge(now)
    if (!this.#isClosed) {
      if (age === undefined && this.#isLive) this.#tellExpiry()
      if (this.#sleptThroughDue(now)) this.#schedule(0)
    }
    const { fallback, provider } = this.#options
    if (age === undefined || this.#held === undefined) {
      return { ...fallback, isLive: false, observedAtMs: undefined, age: undefined, isEstimated: undefined }
    }
    const { gramsPerKwh, basis, observedAtMs, isEstimated } = this.#held.value
    return {
      gramsPerKwh,
      scope: provider.scope,
      year: undefined,
      // Nothing else in a record says which zone.
      source: provider.scope === 'zone' ? `${provider.name}, ${provider.area}` : provider.name,
      basis,
      quality: isEstimated === true ? 'estimated' : 'ok',
      isLive: true,
      observedAtMs,
      age: fromMilliseconds(age),
      isEstimated,
    }
  }

  async settled(): Promise<void> {
    await this.#underWay
  }

  close(): void {
    if (this.#isClosed) return
    this.#cancelTimer?.()
    this.#due = undefined
    this.#closing.abort(new IntensityUnavailable('unreachable', 'closed'))
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Milliseconds; `undefined` where there is no value, or it is too old. */
  #usableAge(now: Instant): number | undefined {
    if (this.#held === undefined) return undefined
    const { value, at } = this.#held
    const ageThen = Math.max(0, at.wallMs - value.observedAtMs)
    // The monotonic clock stands still while the machine sleeps, and the wall clock may be set back: whichever says more.
    const since = Math.max((now.monotonic - at.monotonic) * 1000, now.wallMs - at.wallMs)
    return ageThen + since > this.#maxAgeMs ? undefined : ageThen + since
  }

  #sleptThroughDue(now: Instant): boolean {
    return (
      this.#due !== undefined &&
      now.monotonic < this.#due.monotonic &&
      now.wallMs > this.#due.wallMs + overdueMs
    )
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#options
    const now = clock.now()
    this.#cancelTimer?.()
    this.#due = {
      monotonic: (now.monotonic + fromMilliseconds(delayMs)) as Seconds,
      wallMs: now.wallMs + delayMs,
    }
    this.#cancelTimer = clock.after(delayMs, () => {
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#isClosed || this.#underWay !== undefined) return
    this.#due = undefined
    const waitMs = this.#takeKept()
    if (waitMs !== undefined) {
      this.#schedule(waitMs)
      return
    }
    this.#underWay = this.#ask().finally(() => {
      this.#underWay = undefined
    })
  }

  /** Takes over what another run has found out. Returns how long it saves us from asking, in milliseconds. */
  #takeKept(): number | undefined {
    const { value, notBeforeMs = 0 } = this.#cache?.read(this.#options.provider.url) ?? {}
    const now = this.#options.clock.now()
    if (value !== undefined && value.fetchedAtMs > (this.#held?.fetchedAtMs ?? -Infinity)) {
      const ageMs = now.wallMs - value.observedAtMs
      // A value of the future tells of a clock that was set back since, and nobody knows its age.
      if (ageMs <= this.#maxAgeMs && ageMs >= -mostAheadMs) this.#take(value, value.fetchedAtMs, now)
    }
    const sinceMs = now.wallMs - (this.#held?.fetchedAtMs ?? -Infinity)
    if (sinceMs >= 0 && sinceMs < this.#refreshMs) return this.#spread(this.#refreshMs - sinceMs)

    const pauseMs = notBeforeMs - now.wallMs
    if (pauseMs <= 0 || pauseMs > mostRetryAfterMs) return undefined
    const message = `asked an earlier run to leave it alone until ${timeOf(notBeforeMs)}`
    this.#tellFailure(new IntensityUnavailable('too many requests', message))
    return pauseMs
  }

  async #ask(): Promise<void> {
    const { provider, clock, fetch = httpRequest, timeoutMs = defaultTimeoutMs } = this.#options
    try {
      const value = await askProvider(provider, { fetch, clock, timeoutMs, signal: this.#closing.signal })
      if (!this.#isClosed) this.#succeed(value)
    } catch (error) {
      if (this.#isClosed) return
      const isDeliberate = error instanceof IntensityUnavailable
      this.#fail(
        isDeliberate
          ? error
          : new IntensityUnavailable('unusable answer', 'answered with something unreadable'),
      )
    }
  }

  #succeed(value: LiveValue): void {
    const now = this.#options.clock.now()
    const ageMs = now.wallMs - value.observedAtMs
    if (ageMs > this.#maxAgeMs) {
      const message = `answered with a value of ${timeOf(value.observedAtMs)}, which is too old`
      throw new IntensityUnavailable('outdated', message, 'next refresh')
    }
    if (ageMs < -mostAheadMs) {
      const message = `answered with a value of ${timeOf(value.observedAtMs)}, which is still to come: is this machine's clock right?`
      throw new IntensityUnavailable('ahead of the clock', message, 'next refresh')
    }
    this.#failures = 0
    this.#keep({ value: { ...value, fetchedAtMs: now.wallMs } }, now)
    this.#schedule(this.#spread(this.#refreshMs))
    this.#take(value, now.wallMs, now)
  }

  #fail(failure: IntensityUnavailable): void {
    const now = this.#options.clock.now()
    this.#failures += 1
    if (failure.retryAfterMs !== undefined) {
      const kept = this.#cache?.read(this.#options.provider.url)
      this.#keep({ ...kept, notBeforeMs: now.wallMs + failure.retryAfterMs }, now)
    }
    if (failure.retry !== 'never') this.#schedule(this.#waitAfter(failure))
    this.#tellFailure(failure)
  }

  #waitAfter({ retry, retryAfterMs = 0 }: IntensityUnavailable): number {
    if (retry === 'next refresh') return this.#spread(this.#refreshMs)
    if (retry === 'rarely') return this.#spread(lastWaitMs)
    const most = Math.min(lastWaitMs, firstWaitMs * 2 ** (this.#failures - 1))
    return Math.max(leastWaitMs, this.#random() * most, retryAfterMs)
  }

  #spread(delayMs: number): number {
    return delayMs * (1 + refreshSpread * this.#random())
  }

  #keep(kept: Kept, now: Instant): void {
    this.#cache?.write(this.#options.provider.url, kept, now.wallMs)
  }

  /** Puts a value into use, and says so where that is news. */
  #take(value: LiveValue, fetchedAtMs: number, now: Instant): void {
    const wasLive = this.#isLive && this.#usableAge(now) !== undefined
    this.#held = { value, fetchedAtMs, at: now }
    this.#isLive = true
    const answersAgain = this.#told.size > 0
    this.#told.clear()
    if (wasLive && !answersAgain) return
    const { gramsPerKwh, basis, observedAtMs } = value
    const figure = `${gramsPerKwh} g/kWh (${basis}) of ${timeOf(observedAtMs)}`
    const instead = wasLive ? '' : ` in place of ${this.#yearlyFigure()}`
    this.#notice(`${this.#name}${answersAgain ? ' answers again' : ''}: ${figure} is used${instead}`)
  }

  #tellFailure({ kind, message, retry }: IntensityUnavailable): void {
    if (this.#told.has(kind)) return
    this.#told.add(kind)
    const age = this.#usableAge(this.#options.clock.now())
    const meanwhile =
      age === undefined || this.#held === undefined
        ? `${this.#yearlyFigure()} is used`
        : `the value of ${timeOf(this.#held.value.observedAtMs)} is used until ${timeOf(this.#held.value.observedAtMs + this.#maxAgeMs)}, then ${this.#yearlyFigure()}`
    const end = retry === 'never' ? '; it is not asked again before the program starts anew' : ''
    this.#problem(`${this.#options.provider.name}: ${kind}`, `${this.#name} ${message}; ${meanwhile}${end}`)
  }

  #tellExpiry(): void {
    this.#isLive = false
    const last = this.#held === undefined ? '' : ` since ${timeOf(this.#held.value.observedAtMs)}`
    this.#problem(
      'carbon intensity',
      `there is no value of ${this.#name}${last}: from now on ${this.#yearlyFigure()} is used`,
    )
  }

  get #name(): string {
    const { name, area } = this.#options.provider
    return `${name} (${area})`
  }

  #yearlyFigure(): string {
    const { gramsPerKwh, source, year, basis } = this.#options.fallback
    const of = [source, year, basis].filter((part) => part !== undefined).join(', ')
    return `the yearly figure of ${gramsPerKwh} g/kWh (${of})`
  }

  #problem(subject: string, message: string): void {
    this.#tell(() => {
      this.#options.onProblem({ code: 'ERR_INTENSITY_UNAVAILABLE', subject, message })
    })
  }

  #notice(message: string): void {
    this.#tell(() => {
      this.#options.onNotice?.(message)
    })
  }

  #tell(action: () => void): void {
    try {
      action()
    } catch {
      // A listener that fails must not take the program with it, nor the requests to come.
    }
  }
}

/** `2026-01-01 12:00 UTC`. */
function timeOf(wallMs: number): string {
  const date = new Date(wallMs)
  return Number.isNaN(date.getTime())
    ? 'an unknown time'
    : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
