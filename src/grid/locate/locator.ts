import type { Clock } from '../../core/clock.ts'
import type { Problem } from '../../core/problem.ts'
import type { EntryCache } from '../live/entry-cache.ts'
import { httpRequest, type Fetch } from '../../http/http-request.ts'
import { mostRetryAfterMs } from '../../http/retry-after.ts'
import { resolvePlace, type Place, type PlaceQuery } from '../place.ts'
import { createAsk } from './ask.ts'
import { createPlaceCache, type KeptPlace } from './place-cache.ts'
import { LookupFailure, toFailure, type Asked, type LocateStep } from './step.ts'

/** Options of {@link createLocator}. */
export interface LocatorOptions {
  /** As `locateSteps` gives them: the one that counts most first. */
  readonly steps: readonly LocateStep[]
  readonly clock: Clock
  /** Told at the end of the search, once for each kind of failure of each step. May be called from within {@link Locator.start}. */
  readonly onProblem: (problem: Problem) => void
  /** Told where an answer of the network takes the place of what was known before, and where answers cannot be kept. */
  readonly onNotice?: ((message: string) => void) | undefined
  /** Where answers are kept for other runs; `undefined` keeps none. Holds names of places, no address and no coordinates. */
  readonly cacheFile?: string | undefined
  /** Makes the folder of `cacheFile`. */
  readonly makeDirectory?: ((path: string) => void) | undefined
  /** `globalThis.fetch` would do, and keep the program waiting. @default httpRequest */
  readonly fetch?: Fetch | undefined
  /** From 0 to 1, for names of temporary files. @default Math.random */
  readonly random?: (() => number) | undefined
  /** For all that is asked of clouds, and for each question of a lookup by address, in milliseconds. @default 1000 */
  readonly budgetMs?: number | undefined
}

/** Finds out where this machine is. */
export interface Locator {
  /** Takes what is known at once, and begins to ask where somebody may know better. Returns at once; idempotent. */
  start(): void
  /** The best that is known at this moment; `undefined` where nothing is. Never waits and never throws. */
  place(): Place | undefined
  /** Resolves when nobody is being asked (any more). Never rejects. What waits for it has to keep the program alive by itself. */
  settled(): Promise<void>
  /** Breaks off what is under way, and tells nothing more. `place()` goes on with what there is. Idempotent. */
  close(): void
}

/**
 * Finds out where this machine is when nobody says so, in the background: the steps one after the other, until one knows. Steps that know
 * without asking give a place at once, which gives way to that of a step that counts more. Keeps no program alive and throws nothing into it;
 * only where a firewall drops what is sent does Node.js wait for a connection that is being made, until `close()` or the end of the budget.
 *
 * @example
 * const steps = locateSteps({ offline, mayAskIp, sysfsPath, procfsPath })
 * const locator = createLocator({ steps, clock, onProblem, onNotice, cacheFile, makeDirectory })
 * locator.start()
 * const place = () => locator.place() ?? resolvePlace({}).place
 */
export function createLocator(options: LocatorOptions): Locator {
  return new BackgroundLocator(options)
}

const defaultBudgetMs = 1000

class BackgroundLocator implements Locator {
  readonly #options: LocatorOptions
  readonly #cache: EntryCache<KeptPlace> | undefined
  readonly #closing = new AbortController()
  /** What the user should know, by the step concerned. */
  readonly #failures: { readonly step: LocateStep; readonly failure: LookupFailure }[] = []
  #place: Place | undefined
  #underWay: Promise<void> | undefined
  #hasStarted = false

  constructor(options: LocatorOptions) {
    this.#options = options
    const { cacheFile, makeDirectory = () => undefined, random = Math.random } = options
    this.#cache =
      cacheFile === undefined
        ? undefined
        : createPlaceCache({
            file: cacheFile,
            makeDirectory,
            random,
            onTrouble: (why) => {
              this.#notice(`places cannot be kept in ${cacheFile} for other runs: ${why}`)
            },
          })
  }

  start(): void {
    if (this.#hasStarted || this.#isClosed) return
    this.#hasStarted = true
    const toAsk: LocateStep[] = []
    for (const step of this.#options.steps) {
      this.#place = this.#know(step)
      // Those that count less have no say.
      if (this.#place !== undefined) break
      if (step.ask !== undefined && !this.#mayBeLeftAlone(step)) toAsk.push(step)
    }
    if (toAsk.length === 0) this.#tellFailures()
    else this.#underWay = this.#askEach(toAsk)
  }

  place(): Place | undefined {
    return this.#place
  }

  async settled(): Promise<void> {
    await this.#underWay
  }

  close(): void {
    this.#closing.abort(new LookupFailure('unreachable', 'closed'))
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** What a step knows by itself, else what it told an earlier run. */
  #know(step: LocateStep): Place | undefined {
    const query = step.know?.()
    if (query !== undefined) {
      const place = toPlace(step, query)
      if (place === undefined && query.cloudRegion !== undefined) {
        const message = `names the region ${shown(query.cloudRegion)} of ${query.cloudProvider ?? 'a cloud'}, which is in no table here`
        this.#failures.push({
          step,
          failure: new LookupFailure('unknown place', message).of(`the ${step.foundBy}`),
        })
      }
      return place
    }
    const { query: kept, keptAtMs = 0 } = this.#kept(step) ?? {}
    const ageMs = this.#options.clock.now().wallMs - keptAtMs
    // An answer of the future tells of a clock that was set back since, and nobody knows its age.
    const isFresh = ageMs >= 0 && ageMs < (step.keep?.forMs ?? 0)
    return kept === undefined || !isFresh ? undefined : toPlace(step, kept)
  }

  #mayBeLeftAlone(step: LocateStep): boolean {
    const { notBeforeMs = 0 } = this.#kept(step) ?? {}
    const pauseMs = notBeforeMs - this.#options.clock.now().wallMs
    return pauseMs > 0 && pauseMs <= mostRetryAfterMs
  }

  #kept(step: LocateStep): KeptPlace | undefined {
    return step.keep === undefined ? undefined : this.#cache?.read(step.keep.key)
  }

  async #askEach(steps: readonly LocateStep[]): Promise<void> {
    for (const step of steps) {
      // One after the other: most need not be asked where one before them knows.
      // oxlint-disable-next-line no-await-in-loop -- a step is asked only where those before it know nothing
      const { query, failures, pauseMs } = await this.#ask(step)
      if (this.#isClosed) return
      this.#failures.push(...failures.map((failure) => ({ step, failure })))
      const place = query === undefined ? undefined : toPlace(step, query)
      this.#keep(step, place === undefined ? undefined : query, pauseMs)
      if (place === undefined) continue
      const before = this.#place
      this.#place = place
      this.#notice(
        `the place is ${described(place)}${before === undefined ? '' : `, not ${described(before)}`}`,
      )
      break
    }
    this.#tellFailures()
  }

  async #ask(step: LocateStep): Promise<Asked> {
    const { clock, fetch = httpRequest, budgetMs = defaultBudgetMs } = this.#options
    const { signal } = this.#closing
    const begin = () => createAsk({ fetch, clock, timeoutMs: budgetMs, signal })
    try {
      return (await step.ask?.({ begin })) ?? { failures: [] }
    } catch (error) {
      return { failures: [toFailure(error).of(`the step "${step.foundBy}"`)] }
    }
  }

  #keep(step: LocateStep, query: PlaceQuery | undefined, pauseMs: number | undefined): void {
    if (step.keep === undefined || (query === undefined && pauseMs === undefined)) return
    const { wallMs } = this.#options.clock.now()
    const notBeforeMs = pauseMs === undefined ? undefined : wallMs + pauseMs
    this.#cache?.write(step.keep.key, { query, keptAtMs: wallMs, notBeforeMs }, wallMs)
  }

  /** Each kind of each step once, with what is used instead. */
  #tellFailures(): void {
    const subjects = new Map<string, string[]>()
    for (const { step, failure } of this.#failures) {
      const subject = `${step.foundBy}: ${failure.kind}`
      subjects.set(subject, [...(subjects.get(subject) ?? []), failure.message])
    }
    const used =
      this.#place === undefined
        ? 'no place is known: give country_iso_code'
        : `the place is taken to be ${described(this.#place)}`
    for (const [subject, messages] of subjects) {
      const message = `${messages.join(', ')}; ${used}`
      tell(() => {
        this.#options.onProblem({ code: 'ERR_PLACE_UNKNOWN', subject, message })
      })
    }
  }

  #notice(message: string): void {
    tell(() => {
      this.#options.onNotice?.(message)
    })
  }
}

/** `undefined` where the words are of no known country. */
function toPlace({ foundBy, toldBy }: LocateStep, query: PlaceQuery): Place | undefined {
  const { place } = resolvePlace(query)
  return place.countryIsoCode === undefined ? undefined : { ...place, foundBy, toldBy }
}

/** `Virginia, United States (aws us-east-1; cloud metadata)`. */
function described(place: Place): string {
  const { countryName, region, cloudProvider, cloudRegion, foundBy, toldBy } = place
  const cloud = [cloudProvider, cloudRegion].filter((word) => word !== undefined).join(' ')
  const where = [region, countryName].filter((word) => word !== undefined).join(', ')
  const by = [foundBy, toldBy].filter((word) => word !== undefined).join(', ')
  return `${where} (${cloud === '' ? '' : `${cloud}; `}${by})`
}

/** A word of the environment, which may hold anything. */
const shown = (word: string): string => JSON.stringify(word.slice(0, 60))

function tell(action: () => void): void {
  try {
    action()
  } catch {
    // A listener that fails must not take the program with it.
  }
}
