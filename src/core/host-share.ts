import type { Method, Reading } from './reading.ts'
import { joules, type Joules } from './units.ts'
import { addUsage, noUsage, totalEnergy, usageBetween, type Usage } from './usage.ts'

/**
 * Series that are of the whole machine, whoever measures it: `devices` are those of its hardware, `components` what the machine used where that
 * is what a run tracks. One run of a machine tells each of them, or sums over all runs would count the machine several times.
 */
export type HostSeries = 'devices' | 'components'

/** Who tells of the machine, as one run sees it. */
export interface HostReporter {
  /** Whether this run does. */
  reports(series: HostSeries): boolean
  /** Lets others do so. */
  close(): void
}

/** What a run has used so far, as its counters tell it. */
export interface HostCounters {
  /** Wall-clock time in milliseconds since 1970. */
  readonly wallMs: number
  readonly used: Usage
  readonly unattributed: Usage
  readonly domains: readonly Reading[]
}

/** What a run tells of the whole machine, where its figures meet those of others. */
export interface HostView {
  /** Whether this run tells each series; of those that it would tell at all. */
  readonly reports: Readonly<Partial<Record<HostSeries, boolean>>>
  /** When it began to tell each, in milliseconds since 1970; of those that it has told. */
  readonly begunMs: Readonly<Partial<Record<HostSeries, number>>>
  /** Energy of devices by {@link deviceKey}; `undefined` where another run tells it. */
  readonly devices: ReadonlyMap<string, Joules> | undefined
  /** What the run used, before PUE; `undefined` where that is the whole machine, and another run tells it. */
  readonly used: Usage | undefined
  /** What it used while no task was running. */
  readonly unattributed: Usage | undefined
}

/**
 * Keeps what came while another run told of the machine out of the counters of this one, so that the increases of all runs add up to what the machine
 * used, and no counter jumps or falls when one run takes over from another.
 */
export class HostShare {
  readonly #series: readonly HostSeries[]
  readonly #used = new Shown(noUsage, addUsage, usageBetween)
  readonly #unattributed = new Shown(noUsage, addUsage, usageBetween)
  readonly #devices = new Shown<Energies>(new Map(), addEnergies, energiesBetween)
  #seenUnattributed = noUsage
  #reports: HostView['reports'] = {}
  #begunMs: HostView['begunMs'] = {}

  /** @param series those that the run tells of the whole machine, and not of a part that is its own */
  constructor(series: readonly HostSeries[]) {
    this.#series = series
  }

  /** Notes who tells from now on. */
  settle(reporter: Pick<HostReporter, 'reports'>, now: HostCounters): void {
    this.#reports = Object.fromEntries(this.#series.map((series) => [series, reporter.reports(series)]))
    for (const series of this.#series) {
      if (this.#reports[series] === true) this.#begunMs = { [series]: now.wallMs, ...this.#begunMs }
    }
    this.#devices.turn(this.#reports.devices ?? true, energiesOf(now))
    this.#used.turn(this.#reports.components ?? true, now.used)
    this.#unattributed.turn(this.#reports.components ?? true, now.unattributed)
  }

  view(now: HostCounters): HostView {
    return {
      reports: this.#reports,
      begunMs: this.#begunMs,
      devices: this.#devices.of(energiesOf(now)),
      used: this.#used.of(now.used),
      unattributed: this.#shownUnattributed(now.unattributed),
    }
  }

  /** At its end a run may find whose some of it was: what has been shown is not taken back, or whoever counts increases would begin anew. */
  #shownUnattributed(now: Usage): Usage | undefined {
    const shown = this.#unattributed.of(now)
    const before = this.#seenUnattributed
    const isLess = shown !== undefined && totalEnergy(shown).value < totalEnergy(before).value
    this.#seenUnattributed = isLess ? before : (shown ?? before)
    return shown === undefined ? undefined : this.#seenUnattributed
  }
}

/** A running sum without what was added to it while it was not to be seen. It never falls: what was shown is kept, and what comes is added to it. */
class Shown<Sum> {
  readonly #add: (a: Sum, b: Sum) => Sum
  readonly #between: (before: Sum, after: Sum) => Sum
  readonly #nothing: Sum
  /** What had been shown when the sum was hidden last, and where the sum stood when it was to be seen again. */
  #before: Sum
  #from: Sum
  #isHidden = false

  constructor(nothing: Sum, add: (a: Sum, b: Sum) => Sum, between: (before: Sum, after: Sum) => Sum) {
    this.#nothing = this.#before = this.#from = nothing
    this.#add = add
    this.#between = between
  }

  turn(isSeen: boolean, now: Sum): void {
    if (isSeen === !this.#isHidden) return
    if (isSeen) this.#from = now
    else this.#before = this.#shown(now)
    this.#isHidden = !isSeen
  }

  of(now: Sum): Sum | undefined {
    return this.#isHidden ? undefined : this.#shown(now)
  }

  #shown(now: Sum): Sum {
    return this.#from === this.#nothing ? now : this.#add(this.#before, this.#between(this.#from, now))
  }
}

/** The name of what a domain used while it was read in one way: each way has a counter of its own, so that their sum is the domain's. */
export const deviceKey = (domain: string, method: Method): string => `${method} ${domain}`

/** What a domain used, by the way in which it was told. */
export const energyByMethod = ({
  method,
  energy,
  earlier = [],
}: Pick<Reading, 'method' | 'energy' | 'earlier'>): ReadonlyMap<Method, Joules> =>
  new Map([
    ...earlier.map((part) => [part.method, part.energy] as const),
    [method, joules(earlier.reduce((rest, part) => rest - part.energy, Number(energy)))],
  ])

type Energies = ReadonlyMap<string, Joules>

const energiesOf = ({ domains }: HostCounters): Energies =>
  new Map(
    domains.flatMap((reading) =>
      [...energyByMethod(reading)].map(
        ([method, energy]) => [deviceKey(reading.domain, method), energy] as const,
      ),
    ),
  )

const addEnergies = (a: Energies, b: Energies): Energies =>
  new Map([...b].map(([domain, energy]) => [domain, joules((a.get(domain) ?? 0) + energy)]))

const energiesBetween = (before: Energies, after: Energies): Energies =>
  new Map([...after].map(([domain, energy]) => [domain, joules(energy - (before.get(domain) ?? 0))]))
