import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import type { Probe } from '../core/probe.ts'
import { seconds, type Watts } from '../core/units.ts'
import type { Refusal } from '../probes/detector.ts'
import { lateProbe, type OpenedLate } from './late-probe.ts'

/** The meter of the whole machine, beside those of its parts. */
export interface HostMeter {
  readonly probe: Probe
  /** Settles when it is open and, where it has to be asked, has answered or failed to; never rejects, and keeps no process alive. */
  readonly opened: Promise<void>
  /** Whether the options name one: then it is missed where it tells nothing. */
  readonly isNamed: boolean
  /** Why a meter that the options name tells nothing, and what would help. */
  refused(): readonly Refusal[]
  /** What a meter that has to be asked said last. */
  power(): Watts | undefined
  /** What it is the power of, where there may be several. */
  basis(): string | undefined
}

/** What was opened, and what else there was. */
export interface OpenedHostMeter extends OpenedLate, Pick<HostMeter, 'refused' | 'power' | 'basis'> {
  readonly answered: Promise<void>
}

/** Monitors of the whole machine's power: the names of their drivers (probes/host-power.ts). */
const hostMonitors = /^(power_meter|ibmpowernv|occ.*|corsairpsu)$/

/** Its figure is a mean over about a second. */
const lookInterval = seconds(1)

/**
 * The meter of the whole machine, where it has one, or where the options name one. Its figure is shown beside the parts and never added to
 * them. What reads it is loaded while the program goes on.
 */
export function hostMeter(options: Options, clock: Clock): HostMeter | undefined {
  const isNamed = options.redfishUrl !== undefined || options.ipmi
  if (!isNamed && (process.platform !== 'linux' || !hasOne(options.sysfsPath))) return undefined
  const named = options.redfishUrl === undefined ? 'ipmi' : 'redfish'
  let meter: OpenedHostMeter | undefined
  const probe = lateProbe('host meter', lookInterval, async () => {
    const { openHostMeter } = await import('./open-host-meter.ts')
    return (meter = openHostMeter(options, clock))
  })
  return {
    probe,
    opened: probe.opened.then(() => meter?.answered),
    isNamed,
    refused: () => meter?.refused() ?? (isNamed ? [{ probe: named, reason: 'it is being opened' }] : []),
    power: () => meter?.power(),
    basis: () => meter?.basis(),
  }
}

/** Opening a meter lists all monitors with what they have, which takes too long for machines that have none of the whole. */
const hasOne = (sysfsPath: string): boolean =>
  namesIn(join(sysfsPath, 'class/power_supply')).some((entry) => /^BAT/i.test(entry)) ||
  namesIn(join(sysfsPath, 'class/hwmon')).some((entry) =>
    hostMonitors.test(textOf(join(sysfsPath, 'class/hwmon', entry, 'name'))),
  )

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
