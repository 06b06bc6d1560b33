import { EnergyError } from '../core/errors.ts'
import { joules, seconds, type Joules } from '../core/units.ts'
import type { Run } from '../statement/run.ts'
import type { ScrapedFrom } from '../statement/scraped-from.ts'
import { collectRuns, type Span } from './collect-runs.ts'
import type { PrometheusApi } from './prometheus-api.ts'
import type { CollectedRuns } from './run-book.ts'
import type { RunRecord } from './run-record.ts'
import { toRun } from './to-run.ts'

/** The runs of a fleet, each once, and where they are from. */
export interface FleetRuns {
  readonly runs: readonly Run[]
  readonly scrapedFrom: ScrapedFrom
}

/**
 * The runs that a Prometheus knows of in a span. A run that it scraped by several ways, such as from its endpoint and from a Collector, or
 * that two replicas of it scraped, counts once.
 *
 * @param match matchers of labels that all series have to have
 * @throws EnergyError ERR_QUERY_FAILED, and ERR_NO_RUNS where there are none
 */
export async function fleetRuns(
  api: PrometheusApi,
  span: Span,
  match: string | undefined,
): Promise<FleetRuns> {
  const collected = await collectRuns(api, span, match)
  if (collected.records.length === 0) {
    const where = match === undefined ? '' : ` with ${match}`
    throw new EnergyError(
      'ERR_NO_RUNS',
      `Prometheus at ${api.address} has no metrics of codecarbon${where} from ${isoOf(span.fromMs)} to ${isoOf(span.untilMs)}: check that it scrapes the endpoints, and --range${match === undefined ? '' : ' and --match'}`,
    )
  }
  const { once: all, repeated } = eachOnce(collected.records)
  const silent = all.filter(leftToAnother)
  const once = all.filter((record) => !leftToAnother(record))
  const runs = once.map((record) => ({ record, run: toRun(record) }))
  return {
    runs: runs.map(({ run }) => run),
    scrapedFrom: {
      address: api.address,
      ...span,
      targets: new Set(once.map(({ target }) => JSON.stringify(target))).size,
      readingTime: collected.readingSeconds === undefined ? undefined : seconds(collected.readingSeconds),
      unseenEnergy: unseenEnergy(runs, collected),
      doubts: [
        ...api.warnings().map((warning) => `Prometheus warns: ${warning}`),
        ...(collected.lookedBack
          ? []
          : [
              'Prometheus could not look back before that time: a run whose target was out of sight when it began is counted from its own beginning',
            ]),
        ...repeatedDoubt(repeated),
        ...silentDoubt(silent),
        ...overlapDoubt(runs),
      ],
    },
  }
}

/**
 * Of a run that is there several times, the record that saw most of it: two replicas saw the same, and where the labels of a target were
 * changed while it ran, the last record has the counters as they stood at last.
 */
function eachOnce(records: readonly RunRecord[]): { once: readonly RunRecord[]; repeated: number } {
  const byId = new Map<string | RunRecord, RunRecord>()
  let repeated = 0
  for (const record of records) {
    // A run without an id is one of its own.
    const key = record.run?.['run_id'] || record
    const known = byId.get(key)
    byId.set(key, known === undefined ? record : theFuller(known, record))
    if (known !== undefined) repeated += 1
  }
  return { once: [...byId.values()], repeated }
}

function theFuller(one: RunRecord, other: RunRecord): RunRecord {
  one.beginWith(other)
  other.beginWith(one)
  return energyOf(other) > energyOf(one) ? other : one
}

const energyOf = (record: RunRecord): number => record.sum('componentEnergy') ?? -1

/** Whether a run of a whole machine left it to another run on that machine to tell what it used, all the time: it has nothing of its own to count. */
const leftToAnother = (record: RunRecord): boolean =>
  record.fact('hostReporter', 'components') === 0 && record.sum('componentEnergy') === undefined

function silentDoubt(silent: readonly RunRecord[]): string[] {
  if (silent.length === 0) return []
  const names = [...new Set(silent.flatMap(({ run }) => run?.['project_name'] || []))]
  const more = names.length > 3 ? ` and ${names.length - 3} more` : ''
  const projects = names.length === 0 ? '' : `, of the projects ${names.slice(0, 3).join(', ')}${more}`
  const runs = silent.length === 1 ? '1 run' : `${silent.length} runs`
  return [
    `${runs}${projects}: the energy of their machines was told by other runs on them, and is counted as those runs'; give runs that should have their own share tracking_mode=process`,
  ]
}

interface Told {
  readonly record: RunRecord
  readonly run: Run
}

/**
 * What was used after the last reading that was seen of each run: it may have been taken just after a scrape, and the run have ended just
 * before the next one. So that is at most two of the longest times between readings, at the run's mean power.
 */
function unseenEnergy(runs: readonly Told[], { readingSeconds }: CollectedRuns): Joules | undefined {
  if (readingSeconds === undefined) return undefined
  let sum = 0
  for (const { run, record } of runs) {
    if (run.energy === undefined) continue
    // A run that was seen once has no mean power that could be told.
    if (run.duration === undefined) return undefined
    const { first = 0, last = 0 } = record.reporting ?? {}
    sum += (run.energy / (last > first ? last - first : run.duration)) * 2 * readingSeconds
  }
  return joules(sum)
}

const repeatedDoubt = (repeated: number): string[] =>
  repeated === 0
    ? []
    : [`${repeated} of the series of runs are of a run that was scraped from elsewhere too; it counts once`]

/** Runs that measured one machine at one time each hold all of its energy. */
function overlapDoubt(runs: readonly Told[]): string[] {
  const hosts = new Map<string, Told[]>()
  for (const told of runs) {
    const { run, target } = told.record
    if (run?.['tracking_mode'] !== 'machine') continue
    const host = hostOf(target['instance'] ?? '')
    if (host === undefined) continue
    const others = Object.entries(target).filter(([name]) => name !== 'instance' && name !== 'job')
    const key = JSON.stringify([host, others])
    hosts.set(key, [...(hosts.get(key) ?? []), told])
  }
  const doubtful = [...hosts]
    .filter(([, there]) => overlaps(there))
    .map(([key]) => (JSON.parse(key) as [string])[0])
  if (doubtful.length === 0) return []
  const some = doubtful.slice(0, 3).join(', ')
  const names = doubtful.length > 3 ? `${some} and ${doubtful.length - 3} more` : some
  return [
    `several runs measured the whole machine at one time, and each counts all of it: ${names}; choose one of them by --match or --project`,
  ]
}

/** Without its port; `undefined` for what is no address, such as the id that OTLP gives a run. */
function hostOf(instance: string): string | undefined {
  const at = instance.lastIndexOf(':')
  return at > 0 && /^\d+$/.test(instance.slice(at + 1)) ? instance.slice(0, at) : undefined
}

/** Whether two of them were there at one time, for longer than clocks and scrapes may differ. */
function overlaps(runs: readonly Told[]): boolean {
  const slackSeconds = 60
  const spans = runs
    .flatMap(({ record }) => record.reporting ?? [])
    .toSorted((one, other) => one.first - other.first)
  let end = -Infinity
  for (const { first, last } of spans) {
    if (Math.min(end, last) - first > slackSeconds) return true
    end = Math.max(end, last)
  }
  return false
}

const isoOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19).concat('Z')
