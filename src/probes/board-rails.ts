import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Component } from '../core/reading.ts'
import { seconds, watts } from '../core/units.ts'
import { listHwmon } from './linux/hwmon.ts'
import type { MeterPoint } from './linux/metered-domain.ts'
import { findPowerRails, type PowerRail } from './linux/power-rails.ts'
import { meaningOfRail, type RailMeaning } from './linux/rail-table.ts'
import { createMeteredProbe, readableByAll } from './metered-probe.ts'

/** Options of {@link createBoardRailsProbe}. */
export interface BoardRailsOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
}

/** The probe, and what its figures hold. */
export interface BoardRailsProbe extends Probe {
  /** The components that it tells, whole-board inputs as `host`. */
  readonly components: readonly Component[]
  /** Components whose energy another one's figure already holds, and which one. */
  readonly includedIn: Partial<Record<Component, Component>>
  /** Rails that are not counted, and why. */
  readonly uncounted: readonly UncountedPower[]
}

/** A power that is measured, and that counts towards nothing. */
export interface UncountedPower {
  readonly rail: string
  readonly reason: string
}

/** More than any socket or module with such rails draws (Grace CPU Superchip, 500 W for both sockets: its data sheet), twice. */
const maxRailPower = watts(1000)
/**
 * A register of such a chip takes half a millisecond by I2C, and ACPI meters may ask a controller; both average over about a second. The
 * host program must not wait for that at each tick.
 */
const refresh = seconds(1)

/**
 * Power rails of boards, integrated: chips such as the INA3221 of Jetson modules, sensors of ARM servers, NVIDIA Grace. Which rail feeds what
 * is told by linux/rail-table.ts with its sources; a rail that it does not know is listed in `uncounted` and counts towards nothing. Mostly
 * everybody may read them. Not included: what the board's maker put no sensor at.
 *
 * @throws ProbeUnavailable where no rail is known, or none can be read
 */
export function createBoardRailsProbe(options: BoardRailsOptions = {}): BoardRailsProbe {
  const { sysfsPath = '/sys' } = options
  const { known, uncounted } = sortRails(findPowerRails(sysfsPath))
  const probe = createMeteredProbe({
    name: 'board-rails',
    points: toPoints(known),
    find: () => toPoints(sortRails(findPowerRails(sysfsPath)).known),
    entries: () => listHwmon(sysfsPath),
    takesNew: false,
    maxInterval: refresh,
    nothing: () => noRails(sysfsPath, uncounted),
    permissionRemedy: readableByAll,
  })
  const told = new Set(known.map(({ means }) => means.component))
  const includedIn: Partial<Record<Component, Component>> = {}
  for (const { means } of known) {
    for (const held of means.holds ?? []) if (!told.has(held)) includedIn[held] = means.component
  }
  const components = [...told, ...(Object.keys(includedIn) as Component[])]
  return { ...probe, components, includedIn, uncounted }
}

interface KnownRail {
  readonly rail: PowerRail & { readonly label: string }
  readonly means: RailMeaning
}

function sortRails(rails: readonly PowerRail[]): {
  readonly known: readonly KnownRail[]
  readonly uncounted: readonly UncountedPower[]
} {
  const known: KnownRail[] = []
  const uncounted: UncountedPower[] = []
  for (const rail of rails) {
    const { label, monitor, where } = rail
    const means = label === undefined ? undefined : meaningOfRail(monitor, label)
    const name = label === undefined ? where : `${label} (${where})`
    if (label !== undefined && means !== undefined && 'component' in means) {
      known.push({ rail: { ...rail, label }, means })
    } else {
      // A whole-host meter is another probe's.
      if (monitor === 'power_meter' && means === undefined) continue
      const reason =
        means === undefined ? 'what it feeds is not known' : 'reason' in means ? means.reason : ''
      uncounted.push({ rail: name, reason })
    }
  }
  return { known, uncounted }
}

/** Rails of the same name, as of two sockets, are told apart by number, in an order that does not change with the kernel's numbers. */
function toPoints(known: readonly KnownRail[]): readonly MeterPoint[] {
  const seen = new Map<string, number>()
  const sorted = known.toSorted((a, b) => a.rail.identity.localeCompare(b.rail.identity, 'en'))
  const named = sorted.map(({ rail, means }) => {
    const count = seen.get(rail.label) ?? 0
    seen.set(rail.label, count + 1)
    return { rail, means, domain: count === 0 ? rail.label : `${rail.label} ${count + 1}` }
  })
  const domains = new Set(named.map(({ domain }) => domain))
  return named.map(({ rail, means, domain }) => {
    const socket = /\d+$/.exec(rail.label)?.[0] ?? ''
    const parent = means.inside === undefined ? undefined : `${means.inside} ${socket}`
    return {
      domain,
      kind: means.kind,
      component: means.component,
      parent: parent !== undefined && domains.has(parent) ? parent : undefined,
      identity: rail.identity,
      path: rail.path,
      maxPower: maxRailPower,
      neverIdle: means.component === 'host' || means.kind === 'package',
      refresh,
      open: () => rail.open(),
    }
  })
}

function noRails(sysfsPath: string, uncounted: readonly UncountedPower[]): ProbeUnavailable {
  const list = uncounted.map(({ rail, reason }) => `${rail}: ${reason}`).join('; ')
  const found = list === '' ? 'no power rail' : `no power rail that is known (${list})`
  return new ProbeUnavailable(`${found} in ${sysfsPath}/class/hwmon`)
}
