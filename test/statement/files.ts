import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'csv-stringify/sync'
import { ratio } from '../../src/core/units.ts'
import { createLedger, type Accounts } from '../../src/statement/ledger.ts'
import { readRuns, type SkippedRows } from '../../src/statement/read-runs.ts'
import type { Run } from '../../src/statement/run.ts'
import { toStatement, type Statement } from '../../src/statement/statement.ts'

/** Files of ours with the extended columns, of Python CodeCarbon, and of its first version. */
export const mixedFiles = ['ours.csv', 'python.csv', 'old.csv'] as const
export const mixedPath = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/statement/${name}`, import.meta.url))

/** Cells of a row by column. */
export type Cells = Readonly<Record<string, string | number>>

/** Writes a CSV file with the columns of its first row. */
export function writeRows(path: string, rows: readonly Cells[]): string {
  writeFileSync(path, stringify([...rows], { header: true }))
  return path
}

/** Writes a file as it is. */
export function writeText(folder: string, text: string, name = 'emissions.csv'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** The runs of one file, and what was skipped. */
export async function runsOf(path: string): Promise<{ runs: Run[]; skipped: SkippedRows | undefined }> {
  const runs: Run[] = []
  const skipped = await readRuns(path, new Map(), (run) => runs.push(run))
  return { runs, skipped }
}

/** The files added up in this order. */
export async function accountsOf(paths: readonly string[]): Promise<Accounts> {
  const ledger = createLedger()
  const settings = new Map()
  for (const path of paths) {
    await readRuns(path, settings, (run) => {
      ledger.add(run)
    })
  }
  return ledger.close()
}

/** The statement of these files. */
export async function statementOf(
  paths: readonly string[],
  { offsetPercent }: { offsetPercent?: number } = {},
): Promise<Statement> {
  return toStatement({
    accounts: await accountsOf(paths),
    files: paths.map((path) => ({ path: path.replace(/^.*[/\\]/, ''), skipped: undefined })),
    scrapedFrom: undefined,
    offsetShare: offsetPercent === undefined ? undefined : ratio(offsetPercent / 100),
    version: '0.1.0',
  })
}
