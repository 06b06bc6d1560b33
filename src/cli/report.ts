import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { loadOptions } from '../config/load-options.ts'
import { fromFlags } from '../config/option-source.ts'
import { nearest } from '../config/nearest.ts'
import { ConfigError, EnergyError } from '../core/errors.ts'
import { ratio, type Ratio } from '../core/units.ts'
import { writeWholeFile } from '../files/whole-file.ts'
import { printOnStderr } from '../log.ts'
import { createLedger, groupings, type Accounts, type Grouping, type Ledger } from '../statement/ledger.ts'
import { readRuns } from '../statement/read-runs.ts'
import type { Settings } from '../statement/run.ts'
import {
  toStatement,
  type Statement,
  type StatementFile,
  type StatementInput,
} from '../statement/statement.ts'
import { renderBibtex } from '../statement/statement-bibtex.ts'
import { renderJson } from '../statement/statement-json.ts'
import { renderLatex } from '../statement/statement-latex.ts'
import { renderMarkdown } from '../statement/statement-markdown.ts'
import { renderText } from '../statement/statement-text.ts'
import { packageVersion } from '../version.ts'
import { addPrometheusFlags, readPrometheus, type PrometheusFlags } from './report-prometheus.ts'

const formats = {
  text: renderText,
  markdown: renderMarkdown,
  latex: renderLatex,
  bibtex: renderBibtex,
  json: renderJson,
} as const satisfies Readonly<Record<string, (statement: Statement) => string>>

type Format = keyof typeof formats
const formatNames = Object.keys(formats)

/** What the command was told. */
interface ReportFlags extends PrometheusFlags {
  readonly format?: Format
  readonly json?: true
  readonly project?: readonly string[]
  readonly by?: Grouping
  readonly offsetPercent?: number
  readonly output?: string
}

/** `codecarbon report [FILE…]`: sums runs into a statement for a paper or a page. */
export function addReport(program: Command): void {
  const command = program
    .command('report')
    .description('sum runs, from CSV files or from a Prometheus, into a statement for a paper or a page')
    .argument(
      '[file...]',
      'CSV files of runs, of this program or CodeCarbon for Python (default: the file that the configuration names, emissions.csv)',
    )
    .addOption(
      new Option(`--format <${formatNames.join('|')}>`, 'what to print (default: text)').choices(formatNames),
    )
    .option('--json', 'the same as --format json')
    .option('--project <names>', 'count these projects only; may be given again', collect)
    .addOption(
      new Option(
        `--by <${groupings.join('|')}>`,
        'what to tell runs apart by (default: project); instance and job are labels of Prometheus',
      ).choices(groupings),
    )
    .option(
      '--offset-percent <number>',
      'state that this share of the emissions was offset, 0 to 100',
      toPercent,
    )
    .option('-o, --output <file>', 'write to this file instead of stdout')
  addPrometheusFlags(command).action(report)
}

async function report(given: readonly string[], flags: ReportFlags): Promise<void> {
  const format = formatOf(flags)
  if (flags.fromPrometheus !== undefined && given.length > 0) {
    throw new ConfigError(`--from-prometheus takes the place of files, and ${given.join(', ')} was given too`)
  }
  const fleet = await readPrometheus(flags)
  if (fleet !== undefined) {
    const ledger = createLedger(isWanted(flags.project), flags.by)
    for (const run of fleet.runs) ledger.add(run)
    for (const doubt of fleet.scrapedFrom.doubts) printOnStderr(`codecarbon: ${doubt}\n`)
    const accounts = closed(ledger, flags.project, fleet.scrapedFrom.address)
    print({ accounts, files: [], scrapedFrom: fleet.scrapedFrom }, format, flags)
    return
  }
  if (flags.by === 'instance' || flags.by === 'job') {
    throw new ConfigError(`--by ${flags.by} is about a Prometheus: give --from-prometheus too`)
  }
  const paths = given.length > 0 ? given : [configuredFile()]
  if (flags.output !== undefined && paths.some((path) => realPath(path) === realPath(flags.output ?? ''))) {
    throw new ConfigError(`--output ${flags.output} is one of the files to be read; give another name`)
  }
  print({ ...(await readAll(paths, flags)), scrapedFrom: undefined }, format, flags)
}

/** Prints the statement, or writes it to the file that was named. */
function print(
  counted: Pick<StatementInput, 'accounts' | 'files' | 'scrapedFrom'>,
  format: Format,
  flags: ReportFlags,
): void {
  const statement = toStatement({
    ...counted,
    offsetShare: flags.offsetPercent === undefined ? undefined : fromPercent(flags.offsetPercent),
    version: packageVersion(),
  })
  const text = formats[format](statement)
  if (flags.output === undefined) process.stdout.write(text)
  else writeWholeFile(flags.output, text)
}

/** Where runs are written to. */
function configuredFile(): string {
  const { outputDir, outputFile } = loadOptions(fromFlags({})).options
  return join(outputDir, outputFile)
}

function formatOf({ format, json }: ReportFlags): Format {
  if (json === undefined) return format ?? 'text'
  if (format !== undefined && format !== 'json') {
    throw new ConfigError(`--json is the same as --format json, and --format ${format} was given too`)
  }
  return 'json'
}

/** Reads every file once, however often it is named, and tells what was skipped. */
async function readAll(
  paths: readonly string[],
  { project: wanted, by }: ReportFlags,
): Promise<{ accounts: Accounts; files: readonly StatementFile[] }> {
  const ledger = createLedger(isWanted(wanted), by)
  const settings: Settings = new Map()
  const files: StatementFile[] = []
  for (const path of new Map(paths.map((name) => [realPath(name), name])).values()) {
    // oxlint-disable-next-line no-await-in-loop -- of rows with one run id the last counts, so files are read in their order
    const skipped = await readRuns(path, settings, (run) => {
      ledger.add(run)
    })
    files.push({ path, skipped })
    if (skipped === undefined) continue
    const { rows, firstLine, reason } = skipped
    const many = rows === 1 ? '1 row is' : `${rows} rows are`
    printOnStderr(
      `codecarbon: ${path}: ${many} skipped, ${rows === 1 ? '' : 'the first '}in line ${firstLine}: ${reason}\n`,
    )
  }
  return { accounts: closed(ledger, wanted, paths.join(', ')), files }
}

/** Whether the runs of a project are asked for; `undefined` where all are. */
function isWanted(
  wanted: readonly string[] | undefined,
): ((projectName: string | undefined) => boolean) | undefined {
  if (wanted === undefined) return undefined
  const names = new Set(wanted.flatMap((value) => [value, ...parts(value)]))
  return (projectName) => projectName !== undefined && names.has(projectName)
}

/** @throws EnergyError ERR_NO_RUNS where nothing was counted */
function closed(ledger: Ledger, wanted: readonly string[] | undefined, where: string): Accounts {
  const accounts = ledger.close()
  checkProjects(wanted ?? [], accounts)
  if (accounts.total.runs === 0) throw new EnergyError('ERR_NO_RUNS', `there are no runs in ${where}`)
  return accounts
}

/** @throws EnergyError ERR_NO_RUNS for a name that no run has, with the nearest that one has */
function checkProjects(wanted: readonly string[], { projectNames }: Accounts): void {
  for (const value of wanted) {
    const missing = projectNames.has(value) ? undefined : parts(value).find((name) => !projectNames.has(name))
    if (missing === undefined) continue
    const near = nearest(missing, projectNames)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw new EnergyError('ERR_NO_RUNS', `there are no runs of a project ${missing}${hint}`)
  }
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Names between commas. */
const parts = (value: string): readonly string[] =>
  value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

function toPercent(value: string): number {
  const percent = value.trim() === '' ? NaN : Number(value)
  if (percent >= 0 && percent <= 100) return percent
  throw new InvalidArgumentError('Expected a number from 0 to 100.')
}

const fromPercent = (percent: number): Ratio => ratio(percent / 100)

/** The file that a name leads to; the name itself where there is none. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
