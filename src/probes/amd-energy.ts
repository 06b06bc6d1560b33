import { join } from 'node:path'
import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Component } from '../core/reading.ts'
import { watts } from '../core/units.ts'
import { readNumber } from './linux/attribute.ts'
import { openEnergyGauge } from './linux/gauge.ts'
import { findHwmonDevices, listHwmon, type HwmonChannel, type HwmonDevice } from './linux/hwmon.ts'
import type { MeterPoint } from './linux/metered-domain.ts'
import { createMeteredProbe } from './metered-probe.ts'

/** Options of {@link createAmdEnergyProbe}. */
export interface AmdEnergyOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
  /**
   * Read each core too, as parts of their sockets. The driver asks each core for it by an interrupt, which wakes those that sleep: on a
   * server that costs more than it tells.
   * @default false
   */
  readonly includeCores?: boolean
}

/** The probe, and the components it measures here. */
export interface AmdEnergyProbe extends Probe {
  readonly components: readonly Component[]
}

/** Twice the highest maximum power of a processor package, as for RAPL (linux/rapl-zone.ts). */
const maxPackagePower = watts(1000)

/**
 * Energy of AMD EPYC processors from the monitor `amd_energy`, where the kernel shows them no powercap zones (Linux 5.8 to 5.12, later as a
 * module of its own; kernel documentation: hwmon/amd_energy.rst). Sockets are `Esocket<N>`, cores `Ecore<N>`, in microjoules.
 *
 * Root only since Linux 5.10 (CVE-2020-12912). The registers of 32 bits are added up by the driver, every 100 s. Memory is not included.
 *
 * @throws ProbeUnavailable where there is no such monitor, or it may not be read
 */
export function createAmdEnergyProbe(options: AmdEnergyOptions = {}): AmdEnergyProbe {
  const { sysfsPath = '/sys', includeCores = false } = options
  const find = (): readonly MeterPoint[] =>
    findHwmonDevices(sysfsPath, (name) => name === 'amd_energy')
      .slice(0, 1)
      .flatMap((monitor) => toPoints(monitor, includeCores, sysfsPath))
  const probe = createMeteredProbe({
    name: 'amd_energy',
    points: find(),
    find,
    entries: () => listHwmon(sysfsPath),
    takesNew: false,
    nothing: () =>
      new ProbeUnavailable(
        `no amd_energy monitor in ${sysfsPath}/class/hwmon`,
        'for AMD EPYC processors: sudo modprobe amd_energy (Linux 5.8 to 5.12, or https://github.com/amd/amd_energy)',
      ),
    permissionRemedy: (path) =>
      `until the next boot: sudo chmod a+r ${path.replace(/energy\d+_input$/, 'energy*_input')}
for every program of this node: sudo setcap cap_dac_read_search=ep "$(readlink -f "$(command -v node)")"
for a systemd service: AmbientCapabilities=CAP_DAC_READ_SEARCH`,
  })
  return { ...probe, components: ['cpu'] }
}

function toPoints(monitor: HwmonDevice, includeCores: boolean, sysfsPath: string): readonly MeterPoint[] {
  const numbered = (prefix: string): readonly { channel: HwmonChannel; number: number }[] =>
    monitor.channels.flatMap((channel) => {
      const number = new RegExp(`^${prefix}(\\d+)$`).exec(channel.label ?? '')?.[1]
      const isCounter = channel.quantity === 'energy' && channel.attributes.has('input')
      return number === undefined || !isCounter ? [] : [{ channel, number: Number(number) }]
    })
  const point = (
    { id }: HwmonChannel,
    place: Pick<MeterPoint, 'domain' | 'kind' | 'parent' | 'neverIdle'>,
  ): MeterPoint => {
    const path = join(monitor.folder, `${id}_input`)
    return {
      ...place,
      component: 'cpu',
      identity: monitor.identity,
      path,
      maxPower: maxPackagePower,
      open: () => openEnergyGauge(path),
    }
  }
  const sockets = numbered('Esocket')
  const packages = new Set(sockets.map(({ number }) => number))
  const cores = includeCores && sockets.length > 0 ? numbered('Ecore') : []
  return [
    ...sockets.map(({ channel, number }) =>
      point(channel, { domain: `package-${number}`, kind: 'package', neverIdle: true }),
    ),
    ...cores.flatMap(({ channel, number }) => {
      const socket = socketOf(number, sysfsPath)
      // A core that lies nowhere would be counted beside its socket.
      if (!packages.has(socket)) return []
      return [
        point(channel, {
          domain: `core-${number}`,
          kind: 'core',
          parent: `package-${socket}`,
          neverIdle: false,
        }),
      ]
    }),
  ]
}

/** Core N is read on CPU N (amd_add_delta in drivers/hwmon/amd_energy.c of Linux 5.12). */
const socketOf = (core: number, sysfsPath: string): number =>
  readNumber(join(sysfsPath, `devices/system/cpu/cpu${core}/topology/physical_package_id`)) ?? -1
