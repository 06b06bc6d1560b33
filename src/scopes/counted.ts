import type { Scope } from '../core/scopes.ts'

/** A task or scope in which functional units are counted. */
export interface Counted {
  readonly scope: Scope
  /** What it is part of; where it has ended, what of that had not ended before. */
  readonly parent: Counted | undefined
  /** Functional units that were counted in it; `undefined` where none were. */
  units: number | undefined
}

/**
 * The task or scope itself, or the nearest above it that has not ended. Each asks for it anew when it ends: a chain in which each begins the next one would
 * stay in memory as a whole.
 */
export function livingIn(counted: Counted | undefined): Counted | undefined {
  let at = counted
  while (at?.scope.ended === true) at = at.parent
  return at
}
