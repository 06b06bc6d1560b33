import { readFileSync } from 'node:fs'
import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import { createBatteryProbe } from '../probes/battery.ts'
import { refusalOf, sentenceOf, type Refusal } from '../probes/detector.ts'
import { createHostPowerProbe } from '../probes/host-power.ts'
import { createIpmiProbe } from '../probes/ipmi.ts'
import type { PolledProbe } from '../probes/polled-probe.ts'
import { createRedfishProbe, type RedfishProbe } from '../probes/redfish.ts'
import type { OpenedHostMeter } from './host-meter.ts'

/**
 * Opens one meter of the whole machine: the one that the options name, Redfish before IPMI, else that of its power supply, else its battery.
 * Where the named one cannot be used the next one is, and the problem says why.
 */
export function openHostMeter(options: Options, clock: Clock): OpenedHostMeter {
  const { sysfsPath, redfishUrl, ipmi } = options
  const named: readonly NamedMeter[] = [
    ...(redfishUrl === undefined
      ? []
      : [{ probe: 'redfish', option: 'redfish_url', open: () => openRedfish(options, clock) }]),
    ...(ipmi ? [{ probe: 'ipmi', option: 'ipmi', open: () => createIpmiProbe({ clock }) }] : []),
  ]
  const problems: Problem[] = []
  const refused: Refusal[] = []
  for (const { probe, option, open } of named) {
    try {
      const opened = open()
      return {
        probes: [opened],
        problems,
        answered: opened.answered,
        refused: () => [...refused, ...[opened.refusal()].filter((refusal) => refusal !== undefined)],
        power: () => [...opened.powers().values()][0],
        basis: () => opened.basis?.(),
      }
    } catch (error) {
      const refusal = refusalOf(probe, error)
      refused.push(refusal)
      const message = `${probe}: ${sentenceOf(refusal)}`
      problems.push({ code: 'ERR_PROBE_UNAVAILABLE', subject: option, message })
    }
  }
  const found =
    orNone(() => createHostPowerProbe({ sysfsPath })) ?? orNone(() => createBatteryProbe({ sysfsPath }))
  return {
    probes: found === undefined ? [] : [found],
    problems,
    answered: Promise.resolve(),
    refused: () => refused,
    power: () => undefined,
    basis: () => undefined,
  }
}

interface NamedMeter {
  readonly probe: string
  readonly option: string
  readonly open: () => PolledProbe & Partial<Pick<RedfishProbe, 'basis'>>
}

function openRedfish(options: Options, clock: Clock): PolledProbe {
  if (options.offline) throw new ProbeUnavailable('redfish_url is not asked: offline makes no connection')
  const { redfishUrl: url, redfishUser, redfishPassword, redfishChassis, redfishCaFile } = options
  return createRedfishProbe({
    url,
    user: redfishUser,
    password: redfishPassword,
    chassis: redfishChassis,
    ca: redfishCaFile === undefined ? undefined : readCertificates(redfishCaFile),
    clock,
  })
}

function readCertificates(path: string): string {
  const remedy = 'name a file of certificates in PEM form'
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const why = isMissing ? `there is no file ${path}` : `${path} cannot be read: ${messageOf(cause)}`
    throw new ProbeUnavailable(`redfish_ca_file: ${why}`, remedy, { cause })
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new ProbeUnavailable(`redfish_ca_file: there is no certificate in ${path}`, remedy)
  }
  return text
}

function orNone(open: () => Probe): Probe | undefined {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof ProbeUnavailable)) throw error
    return undefined
  }
}
