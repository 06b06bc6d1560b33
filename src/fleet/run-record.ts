import type { CountedKey, Kind } from './series-kind.ts'
import { isCounted } from './series-kind.ts'

/** Labels and their values. */
export type Labels = Readonly<Record<string, string>>

/** What a target showed at one time. */
export interface Sighting {
  /** Own labels of each series of `codecarbon_run_info`: mostly one. */
  readonly runs: readonly Labels[]
  readonly series: readonly { readonly kind: Kind; readonly value: number }[]
}

/** One counter of a run. */
interface Counter {
  readonly metric: CountedKey
  readonly own: Labels
  /** Of counts that were over before the last one began. */
  banked: number
  /** Where the count stood when the time to be told began. */
  base: number
  last: number
}

/** What is known of one run on one target. */
export interface RunRecord {
  readonly target: Labels
  /** Own labels of `codecarbon_run_info`. */
  readonly run: Labels | undefined
  /** Takes the values that the counters had before the time to be told: they are not counted. */
  startFrom(sighting: Sighting): void
  /** Takes what was seen later than all before. */
  see(sighting: Sighting): void
  /** Takes a tick that was seen, in seconds since 1970. */
  seeTick(tick: number): void
  /** Takes from a record of the same run on another target when it began and where its counters stood then. */
  beginWith(other: RunRecord): void
  /** Where each counter stood when the time to be told began, where it was there. */
  readonly bases: ReadonlyMap<string, number>
  /** Sum of the counters that `pick` is true for; `undefined` where there are none. */
  sum(metric: CountedKey, pick?: (own: Labels) => boolean): number | undefined
  /** Own labels of the counters of a metric. */
  labels(metric: CountedKey): readonly Labels[]
  /** The last value of a fact that is a number, such as PUE. */
  fact(metric: Kind['metric'], of?: string): number | undefined
  /** Own labels of such a fact as it was seen last. */
  factLabels(metric: Kind['metric'], of?: string): Labels
  /** Seconds since 1970 of the first and the last tick that count. */
  readonly ticks: { readonly first: number; readonly last: number } | undefined
  /**
   * The same of the time in which it told what its machine used, as far as sightings show; of all its time where it does not say who does.
   * `undefined` where it never did.
   */
  readonly reporting: { readonly first: number; readonly last: number } | undefined
  /** Whether it had begun before the time to be told. */
  readonly isOlder: boolean
}

/** Rounding in the text of a sample; a count that began again falls by far more. */
const tolerance = 1e-9

/**
 * Keeps the counters of one run. They begin at zero with the run, so that what they show at last is what it used: neither the first sample
 * nor what was between two of them is lost, and nothing is guessed.
 */
export function createRunRecord(target: Labels, run: Labels | undefined): RunRecord {
  const counters = new Map<string, Counter>()
  const facts = new Map<string, { readonly own: Labels; readonly value: number }>()
  let first = Infinity
  let last = -Infinity
  let isOlder = false
  let saysWhoReports = false
  let reporting: { first: number; last: number } | undefined

  function seeReporter({ series }: Sighting): void {
    const reports = series.find(
      ({ kind }) => kind.metric === 'hostReporter' && kind.own['series'] === 'components',
    )
    saysWhoReports ||= reports !== undefined
    const tick = series.find(({ kind }) => kind.metric === 'lastTick')?.value
    if (tick === undefined || reports?.value === 0) return
    reporting = {
      first: Math.min(reporting?.first ?? tick, tick),
      last: Math.max(reporting?.last ?? tick, tick),
    }
  }

  const counterOf = ({ metric, own }: Kind & { metric: CountedKey }): Counter => {
    const key = `${metric} ${JSON.stringify(own)}`
    const counter = counters.get(key) ?? { metric, own, banked: 0, base: 0, last: 0 }
    counters.set(key, counter)
    return counter
  }
  const counted = ({ series }: Sighting): { counter: Counter; value: number }[] =>
    series.flatMap(({ kind, value }) =>
      isCounted(kind.metric)
        ? [{ counter: counterOf(kind as Kind & { metric: CountedKey }), value: Math.max(0, value) }]
        : [],
    )
  const seeFacts = ({ series }: Sighting): void => {
    for (const { kind, value } of series) {
      if (!isCounted(kind.metric))
        facts.set(factKey(kind.metric, kind.own['basis'] ?? kind.own['series']), { own: kind.own, value })
    }
  }
  const fact = (metric: Kind['metric'], of?: string): { own: Labels; value: number } | undefined =>
    facts.get(factKey(metric, of))

  return {
    target,
    run,
    startFrom(sighting) {
      isOlder = true
      for (const { counter, value } of counted(sighting)) {
        counter.base = value
        counter.last = value
      }
      seeFacts(sighting)
    },
    see(sighting) {
      const seen = counted(sighting)
      const beganAgain = seen.some(
        ({ counter, value }) =>
          counter.metric === 'componentEnergy' && value < counter.last * (1 - tolerance),
      )
      if (beganAgain) {
        for (const counter of counters.values()) {
          counter.banked += counter.last - counter.base
          counter.base = 0
          counter.last = 0
        }
      }
      for (const { counter, value } of seen) counter.last = value
      seeFacts(sighting)
      seeReporter(sighting)
    },
    seeTick(tick) {
      first = Math.min(first, tick)
      last = Math.max(last, tick)
    },
    beginWith(other) {
      if (other.ticks !== undefined) {
        first = Math.min(first, other.ticks.first)
        last = Math.max(last, other.ticks.last)
      }
      if (isOlder || !other.isOlder) return
      isOlder = true
      for (const [key, base] of other.bases) {
        const counter = counters.get(key)
        if (counter !== undefined) counter.base = base
      }
    },
    get bases() {
      return new Map([...counters].map(([key, { base }]) => [key, base]))
    },
    sum(metric, pick = () => true) {
      const parts = [...counters.values()].filter((counter) => counter.metric === metric && pick(counter.own))
      if (parts.length === 0) return undefined
      return parts.reduce((sum, part) => sum + Math.max(0, part.banked + part.last - part.base), 0)
    },
    labels: (metric) =>
      [...counters.values()].filter((counter) => counter.metric === metric).map(({ own }) => own),
    fact: (metric, of) => fact(metric, of)?.value,
    factLabels: (metric, of) => fact(metric, of)?.own ?? {},
    get ticks() {
      return first > last ? undefined : { first, last }
    },
    get reporting() {
      if (saysWhoReports) return reporting
      return first > last ? undefined : { first, last }
    },
    get isOlder() {
      return isOlder
    },
  }
}

/** Of facts that are of a basis, or about some series, each has one. */
const factKey = (metric: string, of: string | undefined): string => `${metric} ${of ?? ''}`
