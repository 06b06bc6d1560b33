import type { Component, DomainKind } from '../../core/reading.ts'
import { joules, type Joules } from '../../core/units.ts'

/** A domain of a log, called as the same counter is on Linux. */
export interface LoggedDomain {
  readonly domain: string
  readonly kind: DomainKind
  readonly component: Component
  readonly parent?: string
}

/** Cumulative energy of each domain, by its name. */
export type LoggedEnergies = ReadonlyMap<string, Joules>

const places: Readonly<
  Record<string, { readonly name: string; readonly kind: DomainKind; readonly component: Component }>
> = {
  Processor: { name: 'package', kind: 'package', component: 'cpu' },
  IA: { name: 'core', kind: 'core', component: 'cpu' },
  GT: { name: 'uncore', kind: 'uncore', component: 'cpu' },
  DRAM: { name: 'dram', kind: 'dram', component: 'ram' },
}

/**
 * The columns of a log of Intel Power Gadget that hold energy: "Cumulative Processor Energy_0(Joules)", and IA (cores), GT (graphics) and
 * DRAM, for each socket. Names stand in quotes or not, with spaces around or not, by version and system.
 *
 * @returns by index of the column; empty where it is the header of something else
 */
export function parseHeader(line: string): ReadonlyMap<number, LoggedDomain> {
  const columns = new Map<number, LoggedDomain>()
  for (const [index, cell] of cellsOf(line).entries()) {
    const [, word = '', socket = ''] =
      /^Cumulative (Processor|IA|GT|DRAM) Energy_(\d+) ?\(Joules\)$/.exec(cell) ?? []
    const place = places[word]
    if (place === undefined) continue
    const { name, kind, component } = place
    const isInside = kind === 'core' || kind === 'uncore'
    columns.set(index, {
      domain: `${name}-${socket}`,
      kind,
      component,
      ...(isInside ? { parent: `package-${socket}` } : {}),
    })
  }
  return columns
}

/**
 * The energies of one row; `undefined` where it is none, as the summary that a log ends with ("Total Elapsed Time (sec) = 10.03"), or where
 * a number is missing: a row that is being written has its beginning only.
 */
export function parseRow(
  line: string,
  columns: ReadonlyMap<number, LoggedDomain>,
): LoggedEnergies | undefined {
  const cells = cellsOf(line)
  const energies = new Map<string, Joules>()
  for (const [index, { domain }] of columns) {
    const cell = cells[index] ?? ''
    const value = Number(cell)
    if (cell === '' || !Number.isFinite(value) || value < 0) return undefined
    energies.set(domain, joules(value))
  }
  return energies.size === 0 ? undefined : energies
}

/** Times of day have colons and no cell has a comma. */
const cellsOf = (line: string): readonly string[] =>
  line.split(',').map((cell) => cell.trim().replace(/^"\s*|\s*"$/g, ''))
