import type { EmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import { markdownTable } from '../../exporters/github/markdown.ts'
import { renderRunSection } from '../../exporters/github/run-section.ts'
import { formatDuration, formatEnergy, formatMass, formatShare } from '../../exporters/text/quantity.ts'
import { escapeMarkdown as escape } from '../../statement/markdown-text.ts'
import { describeLine } from './budget.ts'
import type { FileFigures } from './measured-files.ts'
import { mostOf, outsideName, outsideOfFiles, sharingNote, type TestRun } from './test-run.ts'

/** What the section tells besides the run. */
export interface RunMarkdownParts {
  readonly comparisons: (data: EmissionsData) => readonly string[]
  readonly documentation: string | undefined
}

const mostFiles = 10
const mostLines = 10

/** A run as a section of the summary of a job: its figures, the files that used the most, the budget. */
export function renderRunMarkdown(run: TestRun, { comparisons, documentation }: RunMarkdownParts): string {
  const { data, files } = run
  if (data === undefined) return ''
  const named = data.projectName === 'codecarbon' ? { ...data, projectName: 'tests' } : data
  const count = `${files.length} test file${files.length === 1 ? '' : 's'}`
  return renderRunSection({
    data: named,
    comparisons: comparisons(data),
    details: [...budgetLines(run), `${count}, ${endingOf(run)}`, ...fileTable(run)],
    documentation,
  })
}

function endingOf({ reason, budget }: TestRun): string {
  if (reason === 'interrupted') return 'the run was interrupted'
  const isExceeded = budget !== undefined && budget.exceeded.length > 0
  return `the tests ${reason}${isExceeded ? ', the budget was exceeded' : ''}`
}

function budgetLines({ budget }: TestRun): string[] {
  if (budget === undefined) return []
  const { exceeded, doubtful, unknown, uses } = budget
  const lines = [
    ...exceeded.map((line) => `- **Budget exceeded**: ${escape(describeLine(line, uses))}`),
    ...doubtful.map((line) => `- Budget: ${escape(describeLine(line, uses))}`),
    ...unknown.map((text) => `- Budget not checked of ${escape(text)}`),
  ]
  const left = lines.length - mostLines
  if (lines.length === 0) return ['Within the budget']
  return [[...lines.slice(0, mostLines), ...(left > 0 ? [`- and ${left} more`] : [])].join('\n')]
}

function fileTable(run: TestRun): string[] {
  const { data, files } = run
  const { most, others } = mostOf(files, mostFiles)
  if (most.length === 0 || data?.energyConsumed === undefined) return []
  const total = fromKilowattHours(data.energyConsumed)
  const toRow = (name: string, energy: number, grams: number | undefined, time: string): string[] => [
    name,
    formatEnergy(energy, total),
    total > 0 ? formatShare(energy / total) : '',
    grams === undefined ? '' : formatMass(grams),
    time,
  ]
  const rest = outsideOfFiles(run)
  const table = markdownTable(
    ['Test file', 'Energy', 'Share', 'CO2eq', 'Time'],
    ['left', 'right', 'right', 'right', 'right'],
    [
      ...most.map((file) =>
        toRow(nameOf(file), file.energyJoules ?? 0, file.emissionsGrams, formatDuration(file.seconds)),
      ),
      ...(others.count > 0
        ? [toRow(`${others.count} others`, others.energyJoules, others.emissionsGrams, '')]
        : []),
      toRow(escape(outsideName(run)), rest.energyJoules ?? 0, rest.emissionsGrams, ''),
    ],
  )
  return [table, ...sharingNote(run).map((note) => `Note: ${note}.`)]
}

const nameOf = ({ file, project, result }: FileFigures): string =>
  [
    escape(project === '' ? file : `${project} ${file}`),
    ...(result === 'passed' ? [] : [`(${result})`]),
  ].join(' ')
