import type { TaskEmissionsData } from '../core/emissions-data.ts'
import type { ScopeRecord } from '../core/scope-record.ts'
import { fromKilograms, fromKilowattHours } from '../core/units.ts'

/** A task or scope that has ended, as metrics tell of it. Joules, grams and seconds. */
export interface EndedTask extends Pick<
  ScopeRecord,
  'name' | 'durationSeconds' | 'energyJoules' | 'emissionsGrams' | 'trace'
> {
  /** What scopes have besides. */
  readonly scope?: Pick<ScopeRecord, 'kind' | 'labels' | 'outcome' | 'attribution' | 'isNested'>
}

/** Of a task that the program began. */
export const endedTask = (
  { givenTaskName, duration, energyConsumed, emissions }: TaskEmissionsData,
  trace?: EndedTask['trace'],
): EndedTask => ({
  name: givenTaskName,
  durationSeconds: duration,
  energyJoules: energyConsumed === undefined ? undefined : fromKilowattHours(energyConsumed),
  emissionsGrams: emissions === undefined ? undefined : fromKilograms(emissions),
  trace,
})

/** Of a scope. */
export const endedScope = (record: ScopeRecord): EndedTask => ({
  name: record.name,
  durationSeconds: record.durationSeconds,
  energyJoules: record.energyJoules,
  emissionsGrams: record.emissionsGrams,
  trace: record.trace,
  scope: record,
})
