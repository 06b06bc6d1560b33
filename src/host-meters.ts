import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProbeUnavailable } from './core/errors.ts'
import type { Probe } from './core/probe.ts'
import { createBatteryProbe } from './probes/battery.ts'
import { createHostPowerProbe } from './probes/host-power.ts'

/** Monitors of the whole machine's power: the names of their drivers (probes/host-power.ts). */
const hostMonitors = /^(power_meter|ibmpowernv|occ.*|corsairpsu)$/

/**
 * The meter of the whole machine, where it has one: of its power supply, else of its battery while it runs on that. Its figure is shown
 * beside the parts and never added to them.
 */
export function openHostMeter(sysfsPath: string): Probe | undefined {
  if (process.platform !== 'linux') return undefined
  // Opening one lists all monitors with what they have, which takes too long for machines that have none.
  const hasMonitor = namesIn(join(sysfsPath, 'class/hwmon')).some((entry) =>
    hostMonitors.test(textOf(join(sysfsPath, 'class/hwmon', entry, 'name'))),
  )
  const hasBattery = namesIn(join(sysfsPath, 'class/power_supply')).some((entry) => /^BAT/i.test(entry))
  return (
    (hasMonitor ? orNone(() => createHostPowerProbe({ sysfsPath })) : undefined) ??
    (hasBattery ? orNone(() => createBatteryProbe({ sysfsPath })) : undefined)
  )
}

/** The parts are told all the same. */
function orNone(open: () => Probe): Probe | undefined {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof ProbeUnavailable)) throw error
    return undefined
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // No such class here.
    return []
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    // It left while we looked.
    return ''
  }
}
