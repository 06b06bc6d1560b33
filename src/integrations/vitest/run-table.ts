import { styleText } from 'node:util'
import type { EmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import {
  formatDuration,
  formatEnergy,
  formatMass,
  formatRange,
  formatShare,
} from '../../exporters/text/quantity.ts'
import { printable } from '../../log.ts'
import { describeLine } from './budget.ts'
import type { FileFigures } from './measured-files.ts'
import { mostOf, outsideName, outsideOfFiles, sharingNote, type TestRun } from './test-run.ts'

const mostFiles = 10
const mostProblems = 5
const mostLines = 5
const longestName = 60

/** A run for the terminal, with labels where Vitest has them. At most some 30 lines, however many files there are. */
export function renderRunTable(run: TestRun, hasColors: boolean): string {
  const paint = (style: 'dim' | 'red' | 'yellow', text: string): string =>
    hasColors && text !== '' ? styleText(style, text, { validateStream: false }) : text
  const row = (label: string, text: string): string =>
    `${paint('dim', label.padStart(11))}  ${printable(text)}`
  const { data, budget, problems } = run
  const lines = ['']
  if (data?.energyConsumed === undefined) lines.push(row('Energy', 'unmeasured: nothing could tell it'))
  else lines.push(row('Energy', energyText(data)), row('Emissions', emissionsText(data)))
  fileLines(run).forEach((text, index) => lines.push(row(index === 0 ? 'Most of it' : '', text)))
  some(problems, mostProblems).forEach((text) => lines.push(row('Warning', oneLine(text))))
  for (const text of budget?.unknown ?? [])
    lines.push(paint('yellow', row('Budget', `not checked of ${text}`)))
  if (budget !== undefined) {
    const tell = (entries: typeof budget.exceeded): string[] =>
      some(
        entries.map((line) => describeLine(line, budget.uses)),
        mostLines,
      )
    for (const text of tell(budget.doubtful)) lines.push(paint('yellow', row('Budget', text)))
    for (const text of tell(budget.exceeded)) lines.push(paint('red', row('Budget', `exceeded: ${text}`)))
  }
  return `${lines.join('\n')}\n`
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ')

function energyText(data: EmissionsData): string {
  const total = fromKilowattHours(data.energyConsumed ?? 0)
  const range = interval(
    fromKilowattHours(data.energyLow ?? 0),
    fromKilowattHours(data.energyHigh ?? 0),
    'energy',
    total,
  )
  const { measuredShare: share, trackingMode } = data
  const how =
    share === undefined
      ? ''
      : share === 0
        ? ', estimated'
        : share === 1
          ? ', measured'
          : `, ${formatShare(share)} of it measured`
  const whose = trackingMode === 'machine' ? 'the whole machine' : 'Vitest and its workers'
  return `${formatEnergy(total)}${range}${how}, ${whose}`
}

function emissionsText({ emissions, emissionsLow, emissionsHigh, intensity }: EmissionsData): string {
  if (emissions === undefined) return 'unknown'
  const range = interval((emissionsLow ?? 0) * 1000, (emissionsHigh ?? 0) * 1000, 'mass', emissions * 1000)
  return `${formatMass(emissions * 1000)} CO2eq${range} at ${Number(intensity.gramsPerKwh.toPrecision(4))} gCO2eq/kWh`
}

function fileLines(run: TestRun): string[] {
  const { data, files } = run
  const { most, others } = mostOf(files, mostFiles)
  if (most.length === 0 || data?.energyConsumed === undefined) return []
  const total = fromKilowattHours(data.energyConsumed)
  const rest = outsideOfFiles(run).energyJoules ?? 0
  const figures: (readonly [name: string, energy: number, seconds: number | undefined])[] = [
    ...most.map((file) => [nameOf(file), file.energyJoules ?? 0, file.seconds] as const),
    ...(others.count > 0
      ? [
          [
            `${others.count} other file${others.count === 1 ? '' : 's'}`,
            others.energyJoules,
            undefined,
          ] as const,
        ]
      : []),
    [outsideName(run), rest, undefined],
  ]
  const width = Math.max(...figures.map(([name]) => name.length))
  const lines = figures.map(([name, energy, seconds]) => {
    const share = total > 0 ? formatShare(energy / total) : ''
    const time = seconds === undefined ? '' : formatDuration(seconds)
    return `${name.padEnd(width)}  ${formatEnergy(energy, total).padStart(10)}  ${share.padStart(7)}  ${time}`.trimEnd()
  })
  return [...lines, ...sharingNote(run)]
}

/** The end of a path tells more than its beginning. */
function nameOf({ file, project }: FileFigures): string {
  const name = project === '' ? file : `${project} ${file}`
  return name.length <= longestName ? name : `…${name.slice(1 - longestName)}`
}

const interval = (low: number, high: number, kind: 'energy' | 'mass', like: number): string =>
  high - low > 1e-9 * high ? ` (${formatRange(low, high, kind, like)})` : ''

const some = (texts: readonly string[], most: number): string[] =>
  texts.length <= most ? [...texts] : [...texts.slice(0, most), `and ${texts.length - most} more`]
