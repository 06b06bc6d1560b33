import { watts, type Watts } from '../../core/units.ts'

/** What a chassis is, and where its power is told. Paths are as the service gave them. */
export interface RedfishChassis {
  readonly id: string
  readonly type: string | undefined
  /** Where its power is told: the newer `EnvironmentMetrics` before the `Power` that it replaces. */
  readonly powerPaths: readonly string[]
}

/** Paths of the members of a collection (DMTF DSP0266, "Resource collections"). */
export function parseMembers(answer: unknown): readonly string[] {
  const { Members: members } = fieldsOf(answer)
  return Array.isArray(members) ? members.flatMap((member) => pathOf(member) ?? []) : []
}

/** A resource of the schema Chassis (DMTF DSP2046). */
export function parseChassis(answer: unknown): RedfishChassis {
  const { Id: id, ChassisType: type, EnvironmentMetrics: metrics, Power: power } = fieldsOf(answer)
  return {
    id: typeof id === 'string' ? id : '',
    type: typeof type === 'string' ? type : undefined,
    powerPaths: [metrics, power].flatMap((link) => pathOf(link) ?? []),
  }
}

/**
 * The power in a resource of the schema EnvironmentMetrics (`PowerWatts.Reading`) or Power (`PowerControl[].PowerConsumedWatts`, the first of
 * which is the whole chassis; in HP's first release beside it). A PowerSubsystem tells what was granted, never what is used. `undefined` where
 * there is no figure, as of a chassis that is switched off.
 */
export function parsePower(answer: unknown): Watts | undefined {
  const { PowerWatts: reading, PowerControl: controls, PowerConsumedWatts: beside } = fieldsOf(answer)
  const control: unknown = Array.isArray(controls) ? controls[0] : undefined
  const said = [fieldsOf(reading)['Reading'], fieldsOf(control)['PowerConsumedWatts'], beside]
  const value = said.find((entry) => typeof entry === 'number' && Number.isFinite(entry))
  return typeof value === 'number' ? watts(value) : undefined
}

function pathOf(link: unknown): string | undefined {
  const { '@odata.id': path } = fieldsOf(link)
  return typeof path === 'string' && path !== '' ? path : undefined
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
