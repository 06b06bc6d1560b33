import { join } from 'node:path'
import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import { seconds, watts } from '../core/units.ts'
import { findBatteries, findMains, listSupplies, openBatteries, type Battery } from './linux/batteries.ts'
import type { MeterPoint } from './linux/metered-domain.ts'
import { createMeteredProbe, readableByAll } from './metered-probe.ts'

/** Options of {@link createBatteryProbe}. */
export interface BatteryOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
}

/** More than the strongest supply of a laptop gives (USB Power Delivery 3.1: 240 W; gaming laptops: 400 W), twice. */
const maxBatteryPower = watts(800)
/** The controller of a battery measures every second or so, and asking it takes a while (Smart Battery Data Specification 1.1). */
const refresh = seconds(1)

/**
 * Power of the whole machine while it runs on its batteries, integrated: `power_now` (microwatts), else `current_now` times `voltage_now`,
 * of all batteries that are `Discharging`. On mains there is no reading. It is of the component `host`: shown, never added to the parts; it
 * holds the screen. Everybody may read it.
 *
 * @throws ProbeUnavailable where there is no battery, or one of them does not tell its power
 */
export function createBatteryProbe(options: BatteryOptions = {}): Probe {
  const { sysfsPath = '/sys' } = options
  const mute = findBatteries(sysfsPath).find(({ tells }) => tells === undefined)
  if (mute !== undefined) throw doesNotTell(mute)
  return createMeteredProbe({
    name: 'battery',
    points: toPoint(sysfsPath),
    find: () => toPoint(sysfsPath),
    entries: () => listSupplies(sysfsPath),
    takesNew: false,
    maxInterval: refresh,
    nothing: () => new ProbeUnavailable(`no battery in ${sysfsPath}/class/power_supply`),
    permissionRemedy: readableByAll,
  })
}

function toPoint(sysfsPath: string): readonly MeterPoint[] {
  const batteries = findBatteries(sysfsPath)
  const [first] = batteries
  if (first === undefined || batteries.some(({ tells }) => tells === undefined)) return []
  return [
    {
      domain: 'battery',
      kind: 'other',
      component: 'host',
      identity: 'batteries',
      path: join(first.folder, 'status'),
      maxPower: maxBatteryPower,
      neverIdle: true,
      refresh,
      open: () => openBatteries(batteries, findMains(sysfsPath)),
    },
  ]
}

function doesNotTell({ name, folder }: Battery): ProbeUnavailable {
  return new ProbeUnavailable(
    `the battery ${name} does not tell its power: ${folder} has neither power_now nor current_now and voltage_now`,
  )
}
