import { join } from 'node:path'
import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import { seconds, watts, type Watts } from '../core/units.ts'
import { readAttribute, readNumber } from './linux/attribute.ts'
import { openPowerGauge } from './linux/gauge.ts'
import { findHwmonDevices, listHwmon, type HwmonChannel, type HwmonDevice } from './linux/hwmon.ts'
import type { MeterPoint } from './linux/metered-domain.ts'
import { meaningOfRail } from './linux/rail-table.ts'
import { createMeteredProbe, readableByAll } from './metered-probe.ts'

/** Options of {@link createHostPowerProbe}. */
export interface HostPowerOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
}

/** Twice the power of a whole server full of graphics cards (NVIDIA DGX B200, 14.3 kW: its data sheet). */
export const maxHostPower: Watts = watts(28_600)
/**
 * Such meters are asked by way of firmware or a controller, which takes its time, and average over about a second; the driver of ACPI
 * meters itself asks no more often than their sampling time (update_meter in drivers/hwmon/acpi_power_meter.c).
 */
const refresh = seconds(1)

/**
 * Whole-machine power from monitors of the kernel, integrated: ACPI power meters (`power_meter`, kernel documentation:
 * hwmon/acpi_power_meter.rst), the `System` of IBM POWER servers (`ibmpowernv`, `occ`) and power supplies that tell their output
 * (`corsairpsu`, hwmon/corsair-psu.rst). It is of the component `host`: shown, never added to the parts. Needs no permission, or root
 * where the firmware's maker wants it so.
 *
 * @throws ProbeUnavailable where there is no such meter, or it cannot be read
 */
export function createHostPowerProbe(options: HostPowerOptions = {}): Probe {
  const { sysfsPath = '/sys' } = options
  const find = (): readonly MeterPoint[] =>
    findHwmonDevices(sysfsPath, (name) => Object.hasOwn(wholeLabels, name)).flatMap(toPoints)
  return createMeteredProbe({
    name: 'host-power',
    points: find(),
    find,
    entries: () => listHwmon(sysfsPath),
    takesNew: false,
    maxInterval: refresh,
    nothing: () =>
      new ProbeUnavailable(
        `no meter of the whole machine: ${sysfsPath}/class/hwmon has no power_meter, ibmpowernv, occ or corsairpsu`,
        'where the firmware has one: sudo modprobe acpi_power_meter',
      ),
    permissionRemedy: readableByAll,
  })
}

/** What the channels of a machine's own meter are called, by monitor. */
const wholeLabels: Readonly<Record<string, RegExp>> = {
  power_meter: /^/,
  // "System" in the device tree of OPAL; "system" in the sensor list of the controller (hwmon/occ.rst).
  ibmpowernv: /^System$/i,
  occ: /^system$/i,
  corsairpsu: /^power total$/,
}

function toPoints(monitor: HwmonDevice): readonly MeterPoint[] {
  return monitor.channels
    .filter((channel) => isWhole(monitor, channel))
    .map((channel) => {
      const file = channel.attributes.has('average') ? 'average' : 'input'
      const path = join(monitor.folder, `${channel.id}_${file}`)
      return {
        domain: `host-${monitor.name}-${channel.number}`,
        kind: 'other',
        component: 'host',
        identity: monitor.identity,
        path,
        maxPower: maxHostPower,
        neverIdle: true,
        refresh,
        open: () => openPowerGauge(path),
      } satisfies MeterPoint
    })
}

function isWhole({ name, folder }: HwmonDevice, channel: HwmonChannel): boolean {
  const { id, quantity, attributes } = channel
  if (quantity !== 'power' || !(attributes.has('average') || attributes.has('input'))) return false
  if (!(wholeLabels[name]?.test(channel.label ?? '') ?? false)) return false
  const says = readAttribute(join(folder, `${id}_oem_info`))
  const isPart = says !== undefined && meaningOfRail(name, says) !== undefined
  return !isPart && readNumber(join(folder, `${id}_is_battery`)) !== 1
}
