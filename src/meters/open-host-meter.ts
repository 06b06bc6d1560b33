import { readFileSync } from 'node:fs'
import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { OpenedLate } from './late-probe.ts'
import { createBatteryProbe } from '../probes/battery.ts'
import { createHostPowerProbe } from '../probes/host-power.ts'
import { createIpmiProbe } from '../probes/ipmi.ts'
import { createRedfishProbe } from '../probes/redfish.ts'

/**
 * Opens one meter of the whole machine: the one that the options name, else that of its power supply, else its battery. Where the named one
 * cannot be used the next one is, and the problem says why.
 */
export function openHostMeter(options: Options, clock: Clock): OpenedLate {
  const { sysfsPath, redfishUrl, ipmi } = options
  const named: readonly (readonly [option: string, open: () => Probe])[] = [
    ...(redfishUrl === undefined ? [] : [['redfish_url', () => openRedfish(options, clock)] as const]),
    ...(ipmi ? [['ipmi', () => createIpmiProbe({ clock })] as const] : []),
  ]
  const problems = []
  for (const [option, open] of named) {
    try {
      return { probes: [open()], problems }
    } catch (error) {
      const message = `${option}: ${messageOf(error)}`
      problems.push({ code: 'ERR_PROBE_UNAVAILABLE', subject: option, message } as const)
    }
  }
  const found =
    orNone(() => createHostPowerProbe({ sysfsPath })) ?? orNone(() => createBatteryProbe({ sysfsPath }))
  return { probes: found === undefined ? [] : [found], problems }
}

function openRedfish(options: Options, clock: Clock): Probe {
  if (options.offline) throw new ProbeUnavailable('offline makes no connection')
  const { redfishUrl: url, redfishUser, redfishPassword, redfishChassis, redfishCaFile } = options
  return createRedfishProbe({
    url,
    user: redfishUser,
    password: redfishPassword,
    chassis: redfishChassis,
    ca: redfishCaFile === undefined ? undefined : readFileSync(redfishCaFile, 'utf8'),
    clock,
  })
}

function orNone(open: () => Probe): Probe | undefined {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof ProbeUnavailable)) throw error
    return undefined
  }
}
