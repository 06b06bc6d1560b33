/** What a scope is a piece of. */
export type ScopeKind = 'task' | 'job' | 'request' | 'training' | 'inference' | 'model call' | 'test'

/**
 * How it was found out what a scope has used (DESIGN, Attribution).
 *
 * - `shared`: scopes that interleave on one event loop share the energy of the time in which they are active
 * - `exact`: by the CPU time of a process or a thread of its own
 * - `precise`: by the CPU time of the thread while it ran the scope, the rest as in `shared`
 */
export type Attribution = 'shared' | 'exact' | 'precise'

/** Names of a few values each, such as the queue of a job. */
export type ScopeLabels = Readonly<Record<string, string>>

/** What a scope has used that has ended. */
export interface ScopeRecord {
  readonly name: string
  readonly kind: ScopeKind
  readonly labels: ScopeLabels
  readonly outcome: string
  readonly attribution: Attribution
  /**
   * Part of another scope or task, which holds it. One whose parent ended before it, and that was then part of nothing, is none: its energy is what it used from then
   * on, since that of before is the parent's.
   */
  readonly isNested: boolean
  /** Wall-clock time of its end in milliseconds since 1970. */
  readonly endedAtMs: number
  readonly durationSeconds: number
  /** With PUE; `undefined` where it is unmeasured. */
  readonly energyJoules: number | undefined
  /** Location-based emissions in grams of CO2 equivalents, with PUE. */
  readonly emissionsGrams: number | undefined
  readonly functionalUnits: number | undefined
  /** Ids of the trace that was active when it ended. */
  readonly trace: Readonly<Record<string, string>> | undefined
}
