import { mostNames, otherNames } from './bounded-names.ts'
import type { ScopeKind, ScopeRecord } from './scope-record.ts'

/** All ended scopes of one name and kind. */
export interface ScopeTotal {
  readonly name: string
  readonly kind: ScopeKind
  /** Part of other scopes, which hold them. */
  readonly isNested: boolean
  readonly count: number
  /** How many ended in which way. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Sum of their durations, which may overlap. */
  readonly durationSeconds: number
  /** With PUE; `undefined` where nobody told any of it. */
  readonly energyJoules: number | undefined
  /** In CO2 equivalents, with PUE. */
  readonly emissionsGrams: number | undefined
}

const mostOutcomes = 20

/** Adds up scopes by name. */
export class ScopeTotals {
  readonly #byKind = new Map<string, Map<string, Total>>()
  #names = 0

  add(record: ScopeRecord): void {
    const group = `${record.kind}${record.isNested ? ' nested' : ''}`
    const totals = this.#byKind.get(group) ?? new Map<string, Total>()
    this.#byKind.set(group, totals)
    let total = totals.get(record.name)
    if (total === undefined) {
      const name = this.#names < mostNames ? record.name : otherNames
      total = totals.get(name) ?? {
        ...none,
        name,
        kind: record.kind,
        isNested: record.isNested,
        outcomes: { __proto__: null } as never,
      }
      if (!totals.has(name)) this.#names += 1
      totals.set(name, total)
    }
    total.count += 1
    total.durationSeconds += record.durationSeconds
    total.energyJoules = sum(total.energyJoules, record.energyJoules)
    total.emissionsGrams = sum(total.emissionsGrams, record.emissionsGrams)
    const { outcomes } = total
    const isKnown = Object.hasOwn(outcomes, record.outcome) || Object.keys(outcomes).length < mostOutcomes
    const outcome = isKnown ? record.outcome : otherNames
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }

  /** Those that used most first. */
  list(): readonly ScopeTotal[] {
    return [...this.#byKind.values()]
      .flatMap((totals) => [...totals.values()])
      .map((total) => ({ ...total, outcomes: { ...total.outcomes } }))
      .toSorted((a, b) => (b.energyJoules ?? -1) - (a.energyJoules ?? -1))
  }
}

type Total = { -readonly [Name in keyof ScopeTotal]: ScopeTotal[Name] } & { outcomes: Record<string, number> }

const none = { count: 0, durationSeconds: 0, energyJoules: undefined, emissionsGrams: undefined }

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : a + b
