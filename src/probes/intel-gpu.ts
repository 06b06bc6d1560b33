import { join } from 'node:path'
import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import { seconds, watts } from '../core/units.ts'
import { isAsleep, letSleep } from './linux/device-sleep.ts'
import { openEnergyGauge } from './linux/gauge.ts'
import { createNumbering } from './linux/gpu-device.ts'
import { listHwmon } from './linux/hwmon.ts'
import { findIntelGpus, type IntelGpu, type IntelGpuCounter } from './linux/intel-gpus.ts'
import type { MeterPoint } from './linux/metered-domain.ts'
import { createMeteredProbe, readableByAll } from './metered-probe.ts'

/** Options of {@link createIntelGpuProbe}. */
export interface IntelGpuOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
  /** Which graphics cards count. @default all */
  readonly select?: (gpu: IntelGpu) => boolean
}

/** The probe, and what it measures. */
export interface IntelGpuProbe extends Probe {
  /** Those that count, as they were found when it was opened. The reading of each is of the domain `intel-gpu-<index>`. */
  readonly devices: readonly IntelGpu[]
}

/** Twice the highest board power of such cards (Data Center GPU Max 1550, 600 W: ark.intel.com). */
const maxBoardPower = watts(1200)
/**
 * The drivers add up a register of 32 bits of 2^-14 J only when they are asked (hwm_energy in i915_hwmon.c, xe_hwmon_energy_get): 262 kJ,
 * which a card of 1200 W uses in 218 s. Half of that, for a timer may be late.
 */
const maxInterval = seconds(109)

/**
 * Graphics cards of Intel from the energy counters of i915 and xe: `energy1_input` of the card, with its package and tiles as parts of it.
 * Everybody may read them. Graphics that are part of a processor have none: the package's own counter holds their energy.
 *
 * @throws ProbeUnavailable where there is no such card, or none that can be read
 */
export function createIntelGpuProbe(options: IntelGpuOptions = {}): IntelGpuProbe {
  const { sysfsPath = '/sys', select = () => true } = options
  const numberOf = createNumbering()
  const find = (): readonly IntelGpu[] =>
    findIntelGpus(sysfsPath)
      .map((gpu) => ({ ...gpu, index: numberOf(gpu) }))
      .filter((gpu) => !gpu.isPartOfPackage && select(gpu))

  const devices = find()
  const probe = createMeteredProbe({
    name: 'intel-gpu',
    points: devices.flatMap(toPoints),
    find: () => find().flatMap(toPoints),
    entries: () => listHwmon(sysfsPath),
    takesNew: true,
    maxInterval,
    nothing: () => noGpus(sysfsPath),
    permissionRemedy: readableByAll,
  })
  return { ...probe, devices }
}

function toPoints({ index, device, whole, parts }: IntelGpu): readonly MeterPoint[] {
  const root = `intel-gpu-${index}`
  const point = (
    { monitor, channel }: IntelGpuCounter,
    place: Pick<MeterPoint, 'domain' | 'kind' | 'parent' | 'neverIdle'>,
  ): MeterPoint => {
    const path = join(monitor.folder, `${channel.id}_input`)
    return {
      ...place,
      component: 'gpu',
      identity: monitor.identity,
      path,
      maxPower: maxBoardPower,
      isAsleep: () => isAsleep(device),
      open: () => letSleep(openEnergyGauge(path), device),
    }
  }
  return [
    point(whole, { domain: root, kind: 'gpu', neverIdle: true }),
    ...parts.map((counter) =>
      point(counter, { domain: `${root}-${counter.part}`, kind: 'other', parent: root, neverIdle: false }),
    ),
  ]
}

function noGpus(sysfsPath: string): ProbeUnavailable {
  return new ProbeUnavailable(
    `no graphics card of Intel with an energy counter: ${sysfsPath}/class/hwmon has no i915 or xe monitor of one that is selected`,
    'where there is such a card, update the kernel: i915 counts its energy since Linux 6.2, xe since 6.8',
  )
}
