import { givenByUser, type ComponentRecord, type EmissionsData } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import {
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatRange,
  formatShare,
} from './quantity.ts'

/** What a report tells besides the record. */
export interface TextReportInput {
  readonly data: EmissionsData
  /** The emissions in other words: `22 m by car`. */
  readonly comparisons: readonly string[]
  /** What would make the figures more exact, one sentence or command each. */
  readonly advice: readonly string[]
  /** Lines about a part of the run, such as the share of a command. */
  readonly shares?: readonly string[]
  readonly csvPath?: string | undefined
}

/** The problems that advice does not tell as well: it names reason and remedy on lines of their own, a problem in one. */
export function beyondAdvice<P extends { readonly message: string }>(
  problems: readonly P[],
  advice: readonly string[],
): readonly P[] {
  const told = advice.map((text) => text.replaceAll(/\n */g, '; '))
  return problems.filter(({ message }) => !told.some((text) => text.includes(message)))
}

const titles: Readonly<Record<string, string>> = { cpu: 'CPU', ram: 'Memory', gpu: 'GPU' }

/** A run for people to read: plain text, no colours, one figure a line with how it was obtained. */
export function renderTextReport(input: TextReportInput): string {
  const { data, comparisons, advice, shares = [], csvPath } = input
  const lines = [`${titleOf(data.projectName)}, ${formatDuration(data.duration)}`, '', ...energyLines(data)]
  for (const share of shares) lines.push(row('Command', share))
  const scopes = scopeLines(data)
  if (scopes.length > 0) lines.push('', ...scopes)
  const emissions = emissionLines(data)
  if (emissions.length > 0) lines.push('', ...emissions)
  lines.push(...comparisons.map((text, index) => row(index === 0 ? 'About' : '', text)))
  lines.push(...embodiedLines(data), ...sciLines(data))
  if (csvPath !== undefined) lines.push('', row('Written to', csvPath))
  const problems = beyondAdvice(data.problems, advice)
  if (problems.length > 0) lines.push('', 'Warning', ...problems.map(problemLine))
  if (advice.length > 0) lines.push('', 'For better figures', ...advice.map((line) => `  ${line}`))
  return `${lines.join('\n')}\n`
}

/** A project that nobody named is called `codecarbon`, which needs not be said twice. */
const titleOf = (projectName: string): string =>
  projectName === 'codecarbon' ? 'CodeCarbon' : `CodeCarbon: ${projectName}`

function energyLines(data: EmissionsData): string[] {
  if (data.energyConsumed === undefined)
    return [row('Energy', 'unmeasured: nothing on this machine could tell')]
  const total = fromKilowattHours(data.energyConsumed)
  const interval = intervalOf(
    fromKilowattHours(data.energyLow ?? 0),
    fromKilowattHours(data.energyHigh ?? 0),
    'energy',
    total,
  )
  const measured = measuredPart(data.measuredShare)
  return [
    row('Energy', `${formatEnergy(total)}${interval}${measured}`),
    ...data.components.map((component) => componentLine(component, total)),
    ...data.hosts.map((host) => hostLine(host, total)),
    ...(data.pue === 1 ? [] : [row('', `energies with a PUE of ${data.pue}, powers without`)]),
    ...(data.wue === 0
      ? []
      : [
          row(
            'Water',
            `${Number((data.energyConsumed * data.wue * 1000).toPrecision(3))} ml at ${data.wue} l/kWh`,
          ),
        ]),
  ]
}

function measuredPart(share: number | undefined): string {
  if (share === undefined) return ''
  return share === 0 ? ', estimated' : share === 1 ? ', measured' : `, ${formatShare(share)} of it measured`
}

function componentLine(component: ComponentRecord, total: number): string {
  const { energyJoules, powerWatts, method, basis } = component
  const title = `  ${titles[component.component] ?? component.component}`
  if (energyJoules === undefined) return row(title, 'unmeasured, not in the total')
  const power = powerWatts === undefined ? '' : formatPower(powerWatts)
  const low = component.lowJoules ?? energyJoules
  const high = component.highJoules ?? energyJoules
  const interval = intervalOf(low, high, 'energy', total)
  const figure = `${formatEnergy(energyJoules, total).padEnd(9)} ${power.padEnd(8)} ${method}${interval}`
  return basis === undefined ? row(title, figure) : `${row(title, figure)}\n${row('', basis)}`
}

function hostLine(
  { domain, source, method, energyJoules, powerWatts, reason }: EmissionsData['hosts'][number],
  total: number,
): string {
  if (energyJoules === undefined)
    return row('  Host', `unmeasured by ${source}: ${reason ?? 'no reason given'}`)
  const power = powerWatts === undefined ? '' : formatPower(powerWatts)
  const figure = `${formatEnergy(energyJoules, total).padEnd(9)} ${power.padEnd(8)}`
  return row('  Host', `${figure} ${method} by ${source} (${domain}): the whole machine, not added`)
}

/** Names that are shown; files and metrics have all. */
const mostScopes = 10

/** Jobs and requests by name, those that used most first. */
function scopeLines({ scopes = [] }: EmissionsData): string[] {
  const shown = scopes.slice(0, mostScopes)
  const most = shown[0]?.energyJoules
  const lines = shown.map(
    ({ name, kind, count, energyJoules, emissionsGrams, outcomes, isNested }, index) => {
      const energy = energyJoules === undefined ? 'unmeasured' : formatEnergy(energyJoules, most)
      const mass = emissionsGrams === undefined ? '' : formatMass(emissionsGrams)
      const ways = Object.entries(outcomes).map(([outcome, times]) => `${times} ${outcome}`)
      const what = `${printed(name)}, ${kind}${isNested ? ' within others' : ''}: ${ways.length > 1 ? `${count}, ` : ''}${ways.join(', ')}`
      return row(index === 0 ? 'Of it' : '', `${energy.padEnd(9)} ${mass.padEnd(8)} ${what}`)
    },
  )
  const left = scopes.length - shown.length
  return left > 0 ? [...lines, row('', `and ${left} more names`)] : lines
}

/** Names are those of programs. */
const printed = (name: string): string => name.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 80)

function emissionLines(data: EmissionsData): string[] {
  if (data.emissions === undefined) return []
  const interval = intervalOf(
    (data.emissionsLow ?? 0) * 1000,
    (data.emissionsHigh ?? 0) * 1000,
    'mass',
    data.emissions * 1000,
  )
  const { gramsPerKwh, year, source, basis, quality } = data.intensity
  const doubt = quality === 'low' ? ', of low quality' : ''
  const known = basis === 'unknown' ? undefined : basis
  const facts = [placeOf(data), year, known, source].filter((fact) => fact !== undefined).join(', ')
  return [
    row('Emissions', `${formatMass(data.emissions * 1000)} CO2eq${interval}`),
    row('', `at ${Number(gramsPerKwh.toPrecision(4))} gCO2eq/kWh: ${facts}${doubt}`),
    ...marketLines(data),
  ]
}

/** The same energy by its contracts, where the user told of them. */
function marketLines({ marketBased }: EmissionsData): string[] {
  if (marketBased === undefined) return []
  const { kg, lowKg, highKg, gramsPerKwh } = marketBased
  const interval = intervalOf(lowKg * 1000, highKg * 1000, 'mass', kg * 1000)
  return [
    row('', `market-based ${formatMass(kg * 1000)} CO2eq${interval}, at ${gramsPerKwh} gCO2eq/kWh as given`),
  ]
}

function embodiedLines({ embodied, trackingMode }: EmissionsData): string[] {
  if (embodied === undefined) return []
  const { kg, lowKg, highKg, basis, source } = embodied
  const interval = intervalOf(lowKg * 1000, highKg * 1000, 'mass', kg * 1000)
  return [
    row(
      'Embodied',
      `${formatMass(kg * 1000)} CO2eq${interval}, not in the above: making the machine, for this ${trackingMode === 'process' ? 'process and its share of the time' : 'time of its life'}`,
    ),
    row('', [basis, ...(source === givenByUser ? [] : [source])].join(': ')),
  ]
}

/** What is missing is said where functional units are counted: silence would look like an oversight. */
function sciLines({ sci, embodied, trackingMode }: EmissionsData): string[] {
  if (sci === undefined) return []
  const { gramsPerUnit, low = 0, high = 0, functionalUnit, functionalUnits, boundary } = sci
  const unit = functionalUnit.replaceAll(/\p{Cc}+/gu, ' ')
  if (gramsPerUnit === undefined) {
    const why =
      functionalUnits <= 0
        ? `no ${unit} was counted`
        : embodied === undefined
          ? 'the embodied emissions are, give --embodied-emissions-kg'
          : 'the energy is'
    return [row('SCI', `unknown: ${why}`)]
  }
  const interval = intervalOf(low, high, 'mass', gramsPerUnit)
  const whose = trackingMode === 'process' ? 'the share of the process' : 'the whole machine'
  const names = boundary.map((component) => titles[component] ?? component).join(', ')
  return [
    row(
      'SCI',
      `${formatMass(gramsPerUnit)} CO2eq per ${unit}${interval}, of ${Number(functionalUnits.toPrecision(12))}`,
    ),
    row('', `${whose}: ${names}, embodied`),
  ]
}

/** The place that the intensity is of, which may be larger than the one that was asked for. */
function placeOf(data: EmissionsData): string | undefined {
  switch (data.intensity.scope) {
    case 'cloud region':
      return data.cloudRegion
    case 'region':
      return [data.region, data.countryName].filter((name) => name !== undefined).join(', ')
    case 'country':
      return data.countryName
    case 'world':
      return 'world average'
    // The source names the zone.
    case 'zone':
    case 'given':
      return undefined
  }
}

function intervalOf(low: number, high: number, kind: 'energy' | 'mass', like: number): string {
  return high - low > 1e-9 * high ? ` (${formatRange(low, high, kind, like)})` : ''
}

const problemLine = ({ message, count, gap }: EmissionsData['problems'][number]): string => {
  const often = [
    ...(count > 1 ? [`${count} times`] : []),
    ...(gap > 0 ? [`for ${formatDuration(gap)}${count > 1 ? ' in all' : ''}`] : []),
  ].join(', ')
  return often === '' ? `  ${message}` : `  ${message} (${often})`
}

const row = (title: string, text: string): string => `${title.padEnd(12)}${text}`
