import type { ComponentRecord, EmissionsData } from '../core/emissions-data.ts'
import { fromKilowattHours } from '../core/units.ts'
import {
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatRange,
  formatShare,
} from './text/quantity.ts'
import type { TaskGroup } from './task-groups.ts'

/** What a page tells besides the record. */
export interface PageInput {
  readonly data: EmissionsData
  readonly comparisons: readonly string[]
  readonly tasks: readonly TaskGroup[]
}

const titles: Readonly<Record<string, string>> = { cpu: 'Processors', ram: 'Memory', gpu: 'Graphics cards' }

/** A run as a page of HTML: energy by component with how it was obtained, emissions with their interval, comparisons, tasks. */
export function renderPage({ data, comparisons, tasks }: PageInput): string {
  const { intensity, place } = data
  const energy = data.energyConsumed === undefined ? undefined : fromKilowattHours(data.energyConsumed)
  const sections = [
    heading(`CodeCarbon: ${data.projectName}, ${formatDuration(data.duration)}`),
    table([
      ['Energy', energy === undefined ? 'unmeasured' : formatEnergy(energy), energyRange(data)],
      ...data.components.map(componentRow),
      [
        'Emissions',
        data.emissions === undefined ? 'unknown' : `${formatMass(data.emissions * 1000)} CO2eq`,
        emissionsRange(data),
      ],
      [
        'Carbon intensity',
        `${Number(intensity.gramsPerKwh.toPrecision(4))} gCO2eq/kWh`,
        [place.countryName ?? place.countryIsoCode, intensity.year, intensity.basis, intensity.source]
          .filter((part) => part !== undefined)
          .join(', '),
      ],
    ]),
    ...(comparisons.length === 0 ? [] : [list('About', comparisons)]),
    ...(tasks.length === 0 ? [] : [heading('Tasks'), table(tasks.map(taskRow))]),
    ...(data.problems.length === 0
      ? []
      : [
          list(
            'Problems',
            data.problems.map(({ message, count }) => `${message} (${count} times)`),
          ),
        ]),
  ]
  return `<div class="codecarbon">${sections.join('')}</div>`
}

function energyRange({ energyLow, energyHigh, measuredShare }: EmissionsData): string {
  const range =
    energyLow === undefined || energyHigh === undefined
      ? []
      : [formatRange(fromKilowattHours(energyLow), fromKilowattHours(energyHigh), 'energy')]
  const share = measuredShare === undefined ? [] : [`${formatShare(measuredShare)} measured`]
  return [...range, ...share].join(', ')
}

const emissionsRange = ({ emissionsLow, emissionsHigh }: EmissionsData): string =>
  emissionsLow === undefined || emissionsHigh === undefined
    ? ''
    : formatRange(emissionsLow * 1000, emissionsHigh * 1000, 'mass')

function componentRow({
  component,
  energyJoules,
  powerWatts,
  method,
  source,
  basis,
}: ComponentRecord): string[] {
  const figures = [
    ...(energyJoules === undefined ? [] : [formatEnergy(energyJoules)]),
    ...(powerWatts === undefined ? [] : [formatPower(powerWatts)]),
  ]
  const how = [method, source, basis].filter((part) => part !== undefined).join(', ')
  return [titles[component] ?? component, figures.join(', '), how]
}

const taskRow = ({ name, count, energy, emissions, seconds }: TaskGroup): string[] => [
  count === 1 ? name : `${name} (mean of ${count})`,
  energy === undefined ? 'unmeasured' : formatEnergy(fromKilowattHours(energy)),
  [
    ...(emissions === undefined ? [] : [`${formatMass(emissions * 1000)} CO2eq`]),
    formatDuration(seconds),
  ].join(', '),
]

const heading = (text: string): string => `<h3>${escape(text)}</h3>`
const table = (rows: readonly (readonly string[])[]): string =>
  `<table>${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`).join('')}</table>`
const list = (title: string, items: readonly string[]): string =>
  `<p>${escape(title)}</p><ul>${items.map((item) => `<li>${escape(item)}</li>`).join('')}</ul>`

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
/** Names and messages are other people's. */
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
