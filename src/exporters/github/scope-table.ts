import type { EmissionsData } from '../../core/emissions-data.ts'
import { escapeMarkdown as escape } from '../../statement/markdown-text.ts'
import { formatDuration, formatEnergy, formatMass } from '../text/quantity.ts'
import { markdownTable } from './markdown.ts'

const mostRows = 10

/** The jobs, requests and other scopes of a run that used the most, by name: Markdown; nothing where there was none. */
export function renderScopes({ scopes = [] }: EmissionsData): string[] {
  if (scopes.length === 0) return []
  const rows = scopes
    .slice(0, mostRows)
    .map(({ name, kind, isNested, count, energyJoules, emissionsGrams, durationSeconds }) => [
      escape(name),
      isNested ? `${kind}, within others` : kind,
      String(count),
      energyJoules === undefined ? 'unmeasured' : formatEnergy(energyJoules),
      emissionsGrams === undefined ? '' : formatMass(emissionsGrams),
      formatDuration(durationSeconds),
    ])
  const left = scopes.length - rows.length
  return [
    markdownTable(
      ['Name', 'Kind', 'Times', 'Energy', 'CO2eq', 'Time'],
      ['left', 'left', 'right', 'right', 'right', 'right'],
      rows,
    ),
    ...(left > 0 ? [`and ${left} other names`] : []),
  ]
}
