import { join } from 'node:path'
import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import { seconds, watts } from '../core/units.ts'
import { findAmdGpus, powerChannel, powerFile, type AmdGpu } from './linux/amd-gpus.ts'
import { isAsleep, letSleep } from './linux/device-sleep.ts'
import { openEnergyGauge, openPowerGauge } from './linux/gauge.ts'
import { openAmdGpuVitals, type GpuVitals, type GpuVitalsSource } from './linux/gpu-vitals.ts'
import { createNumbering } from './linux/gpu-device.ts'
import { listHwmon, type HwmonChannel } from './linux/hwmon.ts'
import type { MeterPoint } from './linux/metered-domain.ts'
import { createMeteredProbe, readableByAll } from './metered-probe.ts'

/** Options of {@link createAmdGpuProbe}. */
export interface AmdGpuOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
  /** Which graphics processors count. @default all that are no part of the processor package */
  readonly select?: (gpu: AmdGpu) => boolean
}

/** The probe, and what it measures. */
export interface AmdGpuProbe extends Probe {
  /** Those that count, as they were found when it was opened. The reading of each is of the domain `amd-gpu-<index>`. */
  readonly devices: readonly AmdGpu[]
  /** How busy each of them is, by index. */
  vitals(): ReadonlyMap<number, GpuVitals>
}

/** Twice the highest board power on the market (AMD Instinct MI355X, 1400 W: its data sheet). */
const maxBoardPower = watts(2800)
/** The firmware's figure is a mean over 100 ms ("pkgpwr is the average gpu power of 100ms": commit "drm/amd/pp: Refine get_gpu_power for VI"). */
const refresh = seconds(0.1)
/** Power is a sample, and a load that comes and goes is not seen between two. */
const sampleInterval = seconds(1)

/**
 * Graphics cards of AMD from the monitor of their driver: `energy1_input` where there is one, else `power1_average`, else `power1_input`,
 * integrated (kernel documentation: gpu/amdgpu/thermal.rst). Everybody may read them.
 *
 * It is the power of the whole board or, on older cards, of the chip and its memory; losses of the machine's power supply are not included.
 * The second die of a board has no reading: that of the first tells of both. Graphics that are part of a processor are left out, since the
 * monitor tells the power of processor and graphics together there: see `createApuProbe`.
 *
 * @throws ProbeUnavailable where there is no such card, or none that can be read
 */
export function createAmdGpuProbe(options: AmdGpuOptions = {}): AmdGpuProbe {
  const { sysfsPath = '/sys', select = () => true } = options
  const numberOf = createNumbering()
  const isSelected = (gpu: AmdGpu): boolean => !gpu.isPartOfPackage && select(gpu)
  const find = (): readonly AmdGpu[] =>
    findAmdGpus(sysfsPath)
      .map((gpu) => ({ ...gpu, index: numberOf(gpu) }))
      .filter(isSelected)

  const devices = find()
  if (devices.length === 0) throw noGpus(sysfsPath)
  const probe = createMeteredProbe({
    name: 'amdgpu',
    points: devices.flatMap(toPoint),
    find: () => find().flatMap(toPoint),
    entries: () => listHwmon(sysfsPath),
    takesNew: true,
    maxInterval: sampleInterval,
    nothing: () => noMeter(devices),
    permissionRemedy: readableByAll,
  })
  const sources = new Map<number, GpuVitalsSource>()
  let closed = false
  return {
    ...probe,
    devices,
    vitals() {
      if (closed) return new Map()
      for (const { index, device } of devices) {
        if (!sources.has(index)) sources.set(index, openAmdGpuVitals(device))
      }
      return new Map([...sources].map(([index, source]) => [index, source.read()]))
    },
    close() {
      closed = true
      probe.close?.()
      for (const source of sources.values()) source.close()
      sources.clear()
    },
  }
}

const energyChannel = ({ monitor }: AmdGpu): HwmonChannel | undefined =>
  monitor.channels.find(({ id, attributes }) => id === 'energy1' && attributes.has('input'))

/** Whether a card counts its energy itself, or its power has to be integrated. */
export const methodOf = (gpu: AmdGpu): 'measured' | 'integrated' =>
  energyChannel(gpu) === undefined ? 'integrated' : 'measured'

function toPoint(gpu: AmdGpu): readonly MeterPoint[] {
  const { index, monitor, device, meteredBy, powerCap } = gpu
  if (meteredBy !== undefined) return []
  const energy = energyChannel(gpu)
  const power = powerChannel(monitor)
  if (energy === undefined && power === undefined) return []
  const file = energy === undefined && power !== undefined ? powerFile(power) : 'energy1_input'
  const path = join(monitor.folder, file)
  return [
    {
      domain: `amd-gpu-${index}`,
      kind: 'gpu',
      component: 'gpu',
      identity: monitor.identity,
      path,
      maxPower: maxBoardPower,
      powerLimit: powerCap,
      neverIdle: true,
      refresh,
      isAsleep: () => isAsleep(device),
      open: () => letSleep(energy === undefined ? openPowerGauge(path) : openEnergyGauge(path), device),
    },
  ]
}

function noGpus(sysfsPath: string): ProbeUnavailable {
  return new ProbeUnavailable(
    `no graphics card of AMD: ${sysfsPath}/class/hwmon has no amdgpu monitor of one that is selected and no part of the processor`,
    'where there is one, load its driver: sudo modprobe amdgpu',
  )
}

function noMeter(gpus: readonly AmdGpu[]): ProbeUnavailable {
  const names = [...new Set(gpus.map(({ name }) => name))].join(', ')
  return new ProbeUnavailable(
    `no meter: the driver amdgpu shows no power of ${names}, as in virtual machines`,
    'measure on the host, or update to a kernel that knows the card',
  )
}
