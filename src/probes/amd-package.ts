import { join } from 'node:path'
import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Component } from '../core/reading.ts'
import { seconds, watts } from '../core/units.ts'
import { findAmdGpus, powerChannel, powerFile, type AmdGpu } from './linux/amd-gpus.ts'
import { openPowerGauge } from './linux/gauge.ts'
import { findHwmonDevices, listHwmon, type HwmonChannel, type HwmonDevice } from './linux/hwmon.ts'
import type { MeterPoint } from './linux/metered-domain.ts'
import { createMeteredProbe, readableByAll } from './metered-probe.ts'

/** Options of {@link createAmdPackageProbe}. */
export interface AmdPackageOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
}

/** The probe, and the components it measures here. */
export interface AmdPackageProbe extends Probe {
  readonly components: readonly Component[]
  /** Graphics whose energy is in the figure of the processor, by PCI address. */
  readonly graphics: readonly string[]
}

/** Twice the highest power of such a package (AMD Instinct MI300A, 760 W at its peak: its data sheet). */
const maxPackagePower = watts(1520)
/** As for graphics cards (amd-gpu.ts). */
const refresh = seconds(0.1)
const sampleInterval = seconds(1)

/**
 * Power of AMD processors that have no readable energy counter, integrated: of APUs from the monitor of their graphics ("On APUs this
 * includes the CPU", kernel documentation: gpu/amdgpu/thermal.rst), of the families 15h and 16h from `fam15h_power` (hwmon/fam15h_power.rst).
 * Everybody may read them. Never beside RAPL or `amd_energy`: it is the same energy.
 *
 * @throws ProbeUnavailable where there is no such monitor, or none that can be read
 */
export function createAmdPackageProbe(options: AmdPackageOptions = {}): AmdPackageProbe {
  const { sysfsPath = '/sys' } = options
  const apus = findApus(sysfsPath)
  const probe = createMeteredProbe({
    name: 'amd-package',
    points: packagesOf(apus, sysfsPath),
    find: () => packagesOf(findApus(sysfsPath), sysfsPath),
    entries: () => listHwmon(sysfsPath),
    takesNew: false,
    maxInterval: sampleInterval,
    nothing: () =>
      new ProbeUnavailable(
        `no power of an AMD processor: ${sysfsPath}/class/hwmon has neither an amdgpu monitor of an APU nor fam15h_power`,
        'for AMD processors with graphics: sudo modprobe amdgpu; of family 15h or 16h: sudo modprobe fam15h_power',
      ),
    permissionRemedy: readableByAll,
  })
  return { ...probe, components: ['cpu'], graphics: apus.map(({ pciId }) => pciId) }
}

const findApus = (sysfsPath: string): readonly AmdGpu[] =>
  findAmdGpus(sysfsPath).filter(({ isPartOfPackage }) => isPartOfPackage)

function packagesOf(apus: readonly AmdGpu[], sysfsPath: string): readonly MeterPoint[] {
  const older = findHwmonDevices(sysfsPath, (name) => name === 'fam15h_power')
  // An APU of the families 15h and 16h has both, of the same package.
  const monitors = apus.length > 0 ? apus.map(({ monitor }) => monitor) : older
  return monitors.flatMap((monitor, index) => {
    const channel = powerChannel(monitor)
    return channel === undefined ? [] : [toPoint(monitor, channel, index)]
  })
}

function toPoint(monitor: HwmonDevice, channel: HwmonChannel, index: number): MeterPoint {
  const path = join(monitor.folder, powerFile(channel))
  return {
    domain: `package-${index}`,
    kind: 'package',
    component: 'cpu',
    identity: monitor.identity,
    path,
    maxPower: maxPackagePower,
    neverIdle: true,
    refresh,
    open: () => openPowerGauge(path),
  }
}
