import { givenByUser, type ComponentRecord, type EmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import {
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatRange,
  formatShare,
} from '../text/quantity.ts'
import { escapeMarkdown as escape } from '../../statement/markdown-text.ts'
import { markdownTable } from './markdown.ts'

/** What the section of a run tells besides the record. */
export interface RunSectionInput {
  readonly data: EmissionsData
  /** The emissions in other words: `22 m by car`. */
  readonly comparisons: readonly string[]
  /** Energy of the command that was run, in joules with PUE, where it is known beside that of the machine. */
  readonly commandJoules?: number | undefined
  /** What stands between the figures and the notes below them: Markdown. */
  readonly details?: readonly string[] | undefined
  /** Where the figures are explained; no link where there is no such page. */
  readonly documentation?: string | undefined
}

/** Problems that are told; a long run may gather one for each service and card. */
const mostProblems = 10

const titles: Readonly<Record<string, string>> = { cpu: 'CPU', ram: 'Memory', gpu: 'GPU' }

/** A run as a section of a job summary: GitHub's Markdown, which ends with an empty line. */
export function renderRunSection(input: RunSectionInput): string {
  const { data, comparisons, details = [] } = input
  const name = data.projectName === 'codecarbon' ? 'CodeCarbon' : `CodeCarbon: ${escape(data.projectName)}`
  const blocks = [
    `### ${name}`,
    headline(data),
    ...(data.energyConsumed === undefined && data.components.length === 0 ? [] : [componentTable(input)]),
    ...details,
    notes(data, comparisons),
    ...problems(data),
    footer(input),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n\n`
}

function headline(data: EmissionsData): string {
  const time = formatDuration(data.duration)
  if (data.energyConsumed === undefined)
    return `**Energy unmeasured** in ${time}: nothing on this machine could tell`
  const mass =
    data.emissions === undefined
      ? []
      : [
          `**${formatMass(data.emissions * 1000)} CO2eq**${interval((data.emissionsLow ?? 0) * 1000, (data.emissionsHigh ?? 0) * 1000, 'mass')} from`,
        ]
  const total = fromKilowattHours(data.energyConsumed)
  const range = interval(
    fromKilowattHours(data.energyLow ?? 0),
    fromKilowattHours(data.energyHigh ?? 0),
    'energy',
    total,
  )
  return [...mass, `**${formatEnergy(total)}**${range} in ${time}, ${measured(data.measuredShare)}`].join(' ')
}

function measured(share: number | undefined): string {
  if (share === undefined) return 'of unknown method'
  return share === 0 ? 'estimated' : share === 1 ? 'measured' : `${formatShare(share)} of it measured`
}

function componentTable({ data, commandJoules }: RunSectionInput): string {
  const like = data.energyConsumed === undefined ? undefined : fromKilowattHours(data.energyConsumed)
  const rows = data.components.map((component) => componentRow(component, like))
  if (commandJoules !== undefined && like !== undefined && like > 0 && data.trackingMode === 'machine') {
    rows.push([
      'of it the command',
      formatEnergy(commandJoules, like),
      '',
      `${formatShare(commandJoules / like)}, by its shares of CPU time and of memory`,
    ])
  }
  return markdownTable(['Part', 'Energy', 'Power', 'How'], ['left', 'right', 'right', 'left'], rows)
}

function componentRow(part: ComponentRecord, like: number | undefined): string[] {
  const { component, method, basis, energyJoules, powerWatts } = part
  const title = titles[component] ?? component
  if (energyJoules === undefined) return [title, '', '', 'unmeasured, not in the total']
  const { lowJoules = energyJoules, highJoules = energyJoules } = part
  return [
    title,
    `${formatEnergy(energyJoules, like)}${interval(lowJoules, highJoules, 'energy', like)}`,
    powerWatts === undefined ? '' : formatPower(powerWatts),
    escape(basis === undefined ? method : `${method}: ${basis}`),
  ]
}

function notes(data: EmissionsData, comparisons: readonly string[]): string {
  const lines = [
    ...(comparisons.length === 0 ? [] : [`About ${comparisons.map(escape).join(', or ')}`]),
    ...(data.emissions === undefined ? [] : [intensityNote(data)]),
    ...marketNote(data),
    ...(data.pue === 1 ? [] : [`Energies and emissions with a PUE of ${data.pue}`]),
    ...embodiedNote(data),
    ...sciNote(data),
    ...(data.trackingMode === 'process'
      ? ['Share of the process and its children, not the whole machine']
      : []),
  ]
  return lines.map((line) => `- ${line}`).join('\n')
}

function intensityNote({ intensity, countryName, region, cloudRegion }: EmissionsData): string {
  const { gramsPerKwh, year, source, basis, quality, scope } = intensity
  const place = {
    'cloud region': cloudRegion,
    region: [region, countryName].filter((name) => name !== undefined).join(', '),
    country: countryName,
    world: 'world average',
    zone: undefined,
    given: undefined,
  }[scope]
  const facts = [place, year, basis === 'unknown' ? undefined : basis, source]
    .filter((fact) => fact !== undefined)
    .join(', ')
  const doubt = quality === 'low' ? ', of low quality' : ''
  return `Carbon intensity ${Number(gramsPerKwh.toPrecision(4))} gCO2eq/kWh: ${escape(facts)}${doubt}`
}

function marketNote({ marketBased }: EmissionsData): string[] {
  if (marketBased === undefined) return []
  const { kg, lowKg, highKg, gramsPerKwh } = marketBased
  return [
    `Market-based ${formatMass(kg * 1000)} CO2eq${interval(lowKg * 1000, highKg * 1000, 'mass')}, at ${gramsPerKwh} gCO2eq/kWh as given`,
  ]
}

function embodiedNote({ embodied }: EmissionsData): string[] {
  if (embodied === undefined) return []
  const { kg, lowKg, highKg, basis, source } = embodied
  const from = [basis, ...(source === givenByUser ? [] : [source])].join(': ')
  return [
    `Embodied ${formatMass(kg * 1000)} CO2eq${interval(lowKg * 1000, highKg * 1000, 'mass')}, not in the above: ${escape(from)}`,
  ]
}

function sciNote({ sci }: EmissionsData): string[] {
  if (sci?.gramsPerUnit === undefined) return []
  const { gramsPerUnit, low = gramsPerUnit, high = gramsPerUnit, functionalUnit, functionalUnits } = sci
  return [
    `SCI ${formatMass(gramsPerUnit)} CO2eq per ${escape(functionalUnit)}${interval(low, high, 'mass')}, of ${Number(functionalUnits.toPrecision(12))}`,
  ]
}

function problems({ problems: all }: EmissionsData): string[] {
  if (all.length === 0) return []
  const told = all.slice(0, mostProblems).map(({ message, count }) => {
    const often = count > 1 ? ` (${count} times)` : ''
    return `- ${escape(message)}${often}`
  })
  const rest = all.length - told.length
  return [
    `**Warning**\n\n${[...told, ...(rest > 0 ? [`- and ${rest} ${rest === 1 ? 'other' : 'others'}`] : [])].join('\n')}`,
  ]
}

function footer({ data, documentation }: RunSectionInput): string {
  const link = documentation === undefined ? '' : ` · [what the figures mean](${documentation})`
  return `<sub>CodeCarbon for Node.js ${escape(data.codecarbonVersion)}, run ${escape(data.runId)}${link}</sub>`
}

function interval(low: number, high: number, kind: 'energy' | 'mass', like?: number): string {
  return high - low > 1e-9 * high ? ` (${formatRange(low, high, kind, like)})` : ''
}
