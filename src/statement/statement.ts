import { compare, type Comparison } from '../grid/comparisons.ts'
import type { Ratio } from '../core/units.ts'
import { circumstancesOf, type Circumstances } from './circumstances.ts'
import type { Accounts, GroupSums, Grouping } from './ledger.ts'
import type { ScrapedFrom } from './scraped-from.ts'
import type { SkippedRows } from './read-runs.ts'
import type { Sums } from './sums.ts'

/** What there is to say about runs: the same in every format. */
export interface Statement extends Circumstances {
  readonly files: readonly StatementFile[]
  readonly total: Sums
  /** The Prometheus that the runs are from, instead of files. */
  readonly scrapedFrom: ScrapedFrom | undefined
  /** The one with most energy first. */
  readonly groups: readonly GroupSums[]
  /** What the groups are. */
  readonly by: Grouping
  /** The emissions in other words; those that nobody can picture are left out. */
  readonly comparisons: readonly Comparison[]
  /** Share of the emissions that was offset, as the user says. */
  readonly offsetShare: Ratio | undefined
  /** Version of this package. */
  readonly version: string
}

/** A file that runs were read from. */
export interface StatementFile {
  readonly path: string
  readonly skipped: SkippedRows | undefined
}

/** What a statement is made of. */
export interface StatementInput extends Pick<Statement, 'files' | 'scrapedFrom' | 'offsetShare' | 'version'> {
  readonly accounts: Accounts
}

/** Makes the statement of what a ledger counted. */
export function toStatement({
  accounts,
  files,
  scrapedFrom,
  offsetShare,
  version,
}: StatementInput): Statement {
  const { total, groups, by } = accounts
  return {
    ...circumstancesOf(total.settings),
    files,
    scrapedFrom,
    total,
    groups,
    by,
    comparisons: comparisonsFor(total),
    offsetShare,
    version,
  }
}

function comparisonsFor({ emissions, carbonIntensity }: Sums): Comparison[] {
  if (emissions.value === undefined || emissions.value === 0) return []
  return compare(emissions.value, carbonIntensity).filter(
    ({ unit }) => !/^(milli|micro|nano)second|illionth|^[nµ]m$/.test(unit),
  )
}
