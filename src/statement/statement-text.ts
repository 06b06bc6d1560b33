import { formatDuration, formatEnergy, formatShare } from '../exporters/text/quantity.ts'
import {
  componentTitles,
  counted,
  cpuPhrase,
  embodiedPhrase,
  emissionsOf,
  emissionsRangeOf,
  energyOf,
  energyRangeOf,
  gapsOf,
  gpuPhrase,
  groupWords,
  intensityPhrase,
  marketPhrase,
  measuredPhrase,
  nameOf,
  placePhrase,
  runsOf,
  sciPhrases,
  softwarePhrase,
  withRuns,
} from './phrases.ts'
import { scrapedPhrase, unseenPhrase } from './scraped-from.ts'
import type { Statement } from './statement.ts'
import { componentNames, type Sums } from './sums.ts'

/** A statement for people to read: plain text, no colours. */
export function renderText(statement: Statement): string {
  const { total, groups } = statement
  const lines = [
    `CodeCarbon: ${runsOf(statement)}, ${durationOf(total)}`,
    ...titled('Period', periodOf(total)),
    ...sourceLines(statement),
    '',
    ...energyLines(statement),
    ...titled('Unknown', gapsOf(total)),
    '',
    ...emissionLines(statement),
    ...titled(
      'About',
      statement.comparisons.map(({ text }) => text),
    ),
    '',
    ...titled('Place', withRuns(statement.places, total, placePhrase)),
    ...titled('Processor', withRuns(statement.cpus, total, cpuPhrase)),
    ...titled('GPU', withRuns(statement.gpus, total, gpuPhrase)),
    ...titled(
      'Tracking',
      withRuns(statement.trackingModes, total, ({ mode }) => mode),
    ),
    ...titled('Software', withRuns(statement.software, total, softwarePhrase)),
    ...(groups.length > 1 ? ['', ...groupLines(statement)] : []),
  ]
  const isDoubled = (line: string, index: number): boolean => line === '' && lines[index - 1] === ''
  return `${lines
    .filter((line, index) => !isDoubled(line, index))
    .map(printable)
    .join('\n')
    .trimEnd()}\n`
}

const periodOf = ({ period }: Sums): string[] => {
  if (period === undefined) return []
  const { first, last } = period
  return [`${first === last ? first : `${first} to ${last}`}, local time`]
}

function energyLines({ total, pues }: Statement): string[] {
  const { energy, components } = total
  if (energy.value === undefined) return titled('Energy', ['unmeasured'])
  const range = energyRangeOf(total)
  const measured = measuredPhrase(total)
  const parts = componentNames.flatMap((name) => {
    const part = components[name].energy
    if (part === undefined || (part === 0 && name === 'gpu')) return []
    return [row(`  ${componentTitles[name]}`, formatEnergy(part, energy.value))]
  })
  const isPlain = pues.every(({ pue }) => pue === 1)
  return [
    row('Energy', `${energyOf(total)}${inBrackets(range)}${measured === undefined ? '' : `, ${measured}`}`),
    ...parts,
    ...(isPlain
      ? []
      : [row('', `with a PUE of ${withRuns(pues, total, ({ pue }) => String(pue)).join(', ')}`)]),
  ]
}

function emissionLines({ total, offsetShare, intensities, embodiedSources }: Statement): string[] {
  const { carbonIntensity, waterLitres } = total
  return [
    row('Emissions', `${emissionsOf(total)}${inBrackets(emissionsRangeOf(total))}`),
    ...(carbonIntensity === undefined
      ? []
      : [row('', `at ${Number(carbonIntensity.toPrecision(4))} gCO2eq/kWh on average`)]),
    ...withRuns(intensities, total, intensityPhrase).map((text) => row('', text)),
    ...(offsetShare === undefined ? [] : [row('', `${formatShare(offsetShare)} of it offset`)]),
    ...given(marketPhrase(total), (market) => row('', `market-based ${market}`)),
    ...given(embodiedPhrase(total), (embodied) => row('Embodied', `${embodied}, not in the above`)),
    ...withRuns(embodiedSources, total, ({ source }) => source).map((text) => row('', text)),
    ...titled('SCI', sciPhrases(total)),
    ...titled(
      'Water',
      waterLitres.value === undefined
        ? []
        : [
            `${Number(waterLitres.value.toPrecision(3))} l, of ${counted(waterLitres.runs, 'run')} with a WUE`,
          ],
    ),
  ]
}

/** The name comes last: wide letters in it move nothing. */
function groupLines({ groups, by }: Statement): string[] {
  const { one, many } = groupWords[by]
  const rows = [
    ['runs', 'duration', 'energy', 'emissions', one],
    ...groups.map((group) => [
      String(group.runs),
      durationOf(group),
      energyOf(group),
      emissionsOf(group),
      nameOf(group.name, by),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  return [
    `${many.slice(0, 1).toUpperCase()}${many.slice(1)}`,
    ...rows.map((cells) => `  ${cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')}`),
  ]
}

function sourceLines({ scrapedFrom, total }: Statement): string[] {
  if (scrapedFrom === undefined) return []
  return [
    row('Source', scrapedPhrase(scrapedFrom)),
    ...titled('Not seen', [unseenPhrase(scrapedFrom, total)]),
    ...titled('Doubt', scrapedFrom.doubts),
  ]
}

const durationOf = ({ duration }: Sums): string =>
  duration.value === undefined ? 'duration unknown' : formatDuration(duration.value)

const given = (text: string | undefined, line: (text: string) => string): string[] =>
  text === undefined ? [] : [line(text)]

/** Lines of which the first has the title; none where there is nothing to say. */
const titled = (title: string, texts: readonly string[]): string[] =>
  texts.map((text, index) => row(index === 0 ? title : '', text))

const row = (title: string, text: string): string => `${title.padEnd(12)}${text}`
const inBrackets = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`)

/** One line that moves no cursor and turns no text around, whatever a file holds. */
const printable = (line: string): string =>
  line
    .replaceAll(/\s*[\n\r\u2028\u2029]\s*/g, ' ')
    .replaceAll(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD')
