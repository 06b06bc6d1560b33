import cliTruncate from 'cli-truncate'
import type { ComponentRecord, EmissionsData, HostRecord } from '../../core/emissions-data.ts'
import { fromKilowattHours } from '../../core/units.ts'
import type { ExporterHealth } from '../../core/exporter.ts'
import {
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatRange,
} from '../../exporters/text/quantity.ts'
import { printable } from '../../log.ts'
import type { PowerHistory } from './power-history.ts'
import { sparkline } from './sparkline.ts'

/** What the live view shows. */
export interface LiveState {
  readonly data: EmissionsData
  readonly history: PowerHistory
  readonly health: readonly ExporterHealth[]
  readonly csvPath: string | undefined
  /** The latest messages, oldest first. */
  readonly messages: readonly string[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** How it is shown. */
export interface LiveStyle {
  readonly columns: number
  readonly isUnicode: boolean
  /** Makes a text stand out; the same text where there are no colours. */
  readonly paint: (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string
}

const titles: Readonly<Record<string, string>> = { cpu: 'CPU', ram: 'Memory', gpu: 'GPU' }
/** Titles, power now, mean power and energy take this much before the sparkline. */
const tableColumns = 46

/** The live view as lines of a terminal. A pure function. */
export function renderLiveView(state: LiveState, style: LiveStyle): string[] {
  const { data } = state
  const lines: Line[] = [
    [
      ['bold', `CodeCarbon ${data.codecarbonVersion}`],
      ['plain', `  ${data.projectName}  ${inSeconds(data.duration)}  `],
      ['dim', 'Ctrl-C ends'],
    ],
    [],
    [['dim', `${pad('', 10)}${pad('now', 11)}${pad('mean', 11)}${pad('energy', 14)}last minute`]],
    ...data.components.map((component) => componentLine(component, state, style)),
    totalLine(state, style),
    ...data.hosts.map((host) => hostLine(host, style)),
    ...data.components.map(methodLine),
    [],
    ...emissionLines(data, state.nowMs),
    placeLine(data),
    [],
    ...healthLines(state),
    ...problemLines(data),
    ...(state.messages.length === 0 ? [] : [[], ...state.messages.map((text): Line => [['dim', text]])]),
  ]
  return lines.map((line) => draw(line, style))
}

/** Parts of a line: how each looks, and its text. */
type Line = (readonly [style: Parameters<LiveStyle['paint']>[0] | 'plain', text: string])[]

/** One column is left free: a wide letter at the edge may be let through half a letter too far, and would break the line. */
const draw = (line: Line, { columns, paint }: LiveStyle): string =>
  cliTruncate(
    line
      .map(([style, text]) => (style === 'plain' ? printable(text) : paint(style, printable(text))))
      .join(''),
    Math.max(1, columns - 1),
  )

const pad = (text: string, width: number): string => text.padEnd(width)

function componentLine(component: ComponentRecord, state: LiveState, style: LiveStyle): Line {
  const title = pad(titles[component.component] ?? component.component, 10)
  if (component.energyJoules === undefined) {
    return [
      ['plain', title],
      ['yellow', 'unmeasured, not in the total'],
    ]
  }
  const watts = state.history.of(component.component)
  return [['plain', title], ...figures(watts, component.powerWatts, component.energyJoules, style)]
}

function totalLine({ data, history }: LiveState, style: LiveStyle): Line {
  if (data.energyConsumed === undefined) return [['yellow', 'nothing on this machine can be told']]
  const energy = fromKilowattHours(data.energyConsumed)
  const means = data.components.flatMap(({ powerWatts }) => powerWatts ?? [])
  const mean = means.length === 0 ? undefined : means.reduce((sum, watts) => sum + watts, 0)
  return [['bold', pad('Total', 10)], ...figures(history.total(), mean, energy, style)]
}

/** Beside the sum: it holds the parts and more. */
function hostLine({ source, energyJoules, powerWatts, reason }: HostRecord, style: LiveStyle): Line {
  const title = pad('Host', 10)
  if (energyJoules === undefined) {
    return [
      ['plain', title],
      ['yellow', `unmeasured by ${source}: ${reason ?? 'no reason given'}`],
    ]
  }
  return [
    ['plain', title],
    ...figures([powerWatts], undefined, energyJoules, { ...style, columns: 0 }),
    ['dim', `by ${source}, not added`],
  ]
}

function figures(
  watts: readonly (number | undefined)[],
  mean: number | undefined,
  energy: number,
  { columns, isUnicode }: LiveStyle,
): Line {
  const now = watts.at(-1)
  const room = Math.max(0, columns - tableColumns)
  const power = (value: number | undefined): string => (value === undefined ? '-' : formatPower(value))
  return [
    ['bold', pad(power(now), 11)],
    ['plain', pad(power(mean), 11)],
    ['plain', pad(formatEnergy(energy), 14)],
    ['green', room === 0 ? '' : sparkline(watts.slice(-room), isUnicode)],
  ]
}

function methodLine({ component, method, source, basis }: ComponentRecord): Line {
  const how =
    method === 'unmeasured'
      ? method
      : `${method} by ${source ?? 'unknown'}${basis === undefined ? '' : `: ${basis}`}`
  return [['dim', `${pad(titles[component] ?? component, 10)}${how}`]]
}

function emissionLines(data: EmissionsData, nowMs: number): Line[] {
  if (data.emissions === undefined) return []
  const { gramsPerKwh, year, basis, source, quality } = data.intensity
  const grams = data.emissions * 1000
  const [low, high] = [
    (data.emissionsLow ?? data.emissions) * 1000,
    (data.emissionsHigh ?? data.emissions) * 1000,
  ]
  const interval = high > low ? ` (${formatRange(low, high, 'mass', grams)})` : ''
  const { observedAtMs } = data.intensity
  const age =
    observedAtMs === undefined ? undefined : `${inSeconds(Math.max(0, nowMs - observedAtMs) / 1000)} old`
  const facts = [year === undefined ? age : `yearly figure of ${year}`, basis, source]
  const doubt = quality === 'low' ? ', of low quality' : ''
  return [
    [
      ['plain', pad('Emissions', 10)],
      ['bold', `${formatMass(grams)} CO2eq`],
      ['plain', interval],
    ],
    [
      ['plain', `${pad('Intensity', 10)}${Number(gramsPerKwh.toPrecision(4))} gCO2eq/kWh  `],
      ['dim', `${facts.filter((fact) => fact !== undefined).join(', ')}${doubt}`],
    ],
  ]
}

function placeLine({ place }: EmissionsData): Line {
  const { countryName, countryIsoCode, region, cloudProvider, cloudRegion, foundBy } = place
  const where = [countryName ?? countryIsoCode, region, cloudProvider, cloudRegion].filter(
    (name) => name !== undefined,
  )
  return [
    ['plain', `${pad('Place', 10)}${where.length === 0 ? 'unknown' : where.join(', ')}  `],
    ['dim', where.length === 0 ? 'give --country-iso-code' : `found by ${foundBy}`],
  ]
}

function healthLines({ health, csvPath, nowMs }: LiveState): Line[] {
  return health.map((exporter, index): Line => {
    const title = pad(index === 0 ? 'Outputs' : '', 10)
    const target = exporter.name === 'csv' && csvPath !== undefined ? `  ${csvPath}` : ''
    if (exporter.error !== undefined) {
      return [
        ['plain', `${title}${exporter.name}  `],
        ['red', `failed ${exporter.failures} time${exporter.failures === 1 ? '' : 's'}: ${exporter.error}`],
      ]
    }
    const { lastSuccessMs } = exporter
    const since =
      lastSuccessMs === undefined
        ? 'nothing to write yet'
        : `ok, ${inSeconds(Math.max(0, nowMs - lastSuccessMs) / 1000)} ago`
    return [
      ['plain', `${title}${exporter.name}  `],
      ['green', since],
      ['dim', target],
    ]
  })
}

const problemLines = ({ problems }: EmissionsData): Line[] =>
  problems.map(({ message, count }, index): Line => [
    ['yellow', `${pad(index === 0 ? 'Warning' : '', 10)}${message}${count > 1 ? ` (${count} times)` : ''}`],
  ])

/** What changes every second is easier to read without its parts. */
const inSeconds = (time: number): string => formatDuration(Math.floor(time))
