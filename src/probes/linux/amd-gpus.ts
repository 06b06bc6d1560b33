import { join } from 'node:path'
import { fromMicrowatts, type Watts } from '../../core/units.ts'
import { readAttribute, readNumber } from './attribute.ts'
import { isAsleep } from './device-sleep.ts'
import { byPciId, gpuName, pciIdOf, type GpuDevice } from './gpu-device.ts'
import { findHwmonDevices, type HwmonChannel, type HwmonDevice } from './hwmon.ts'

/** A graphics processor of AMD and what its driver, amdgpu, shows of it. */
export interface AmdGpu extends GpuDevice {
  /** Highest power that it may draw. */
  readonly powerCap: Watts | undefined
  /** PCI address of the other die of its board, whose meter tells of both; `undefined` where it has a meter of its own. */
  readonly meteredBy: string | undefined
  readonly monitor: HwmonDevice
  /** Real folder of the PCI device. */
  readonly device: string
}

/**
 * Aqua Vanjaram as Instinct MI300A in pci.ids. It is an APU, and the only one whose monitor looks like a card's: the driver shows no
 * voltage of the northbridge on this generation (hwmon_attributes_visible in drivers/gpu/drm/amd/pm/amdgpu_pm.c, "only APUs other than gc
 * 9,4,3 have vddnb").
 */
const apuIds: readonly string[] = ['0x74a0']

/** The graphics processors that amdgpu drives, in the order of their addresses. */
export function findAmdGpus(sysfsPath: string): readonly AmdGpu[] {
  const found = findHwmonDevices(sysfsPath, (name) => name === 'amdgpu').flatMap((monitor) =>
    monitor.device === undefined ? [] : [describe(monitor, monitor.device)],
  )
  const gpus = found.toSorted(byPciId)
  const otherDies = pairDies(gpus)
  return gpus.map((gpu, index) => ({ ...gpu, index, meteredBy: otherDies.get(gpu.pciId) }))
}

type Described = Omit<AmdGpu, 'index' | 'meteredBy'>

function describe(monitor: HwmonDevice, device: string): Described {
  const cap = readCap(monitor, device)
  return {
    pciId: pciIdOf(device),
    uniqueId: readAttribute(join(device, 'unique_id')),
    name: gpuName(device, 'AMD'),
    isPartOfPackage: isApu(monitor, device),
    powerCap: cap === undefined || cap === 0 ? undefined : fromMicrowatts(cap),
    monitor,
    device,
  }
}

/** Only APUs have a northbridge, and their driver shows its voltage (amdgpu_pm.c, "only APUs have vddnb"). */
function isApu({ channels }: HwmonDevice, device: string): boolean {
  const hasNorthbridge = channels.some(({ id, label }) => id === 'in1' && label === 'vddnb')
  return hasNorthbridge || apuIds.includes(readAttribute(join(device, 'device')) ?? '')
}

/** In microwatts. A card that sleeps is not asked: that would wake it. */
const readCap = ({ folder }: HwmonDevice, device: string): number | undefined =>
  isAsleep(device) ? undefined : readNumber(join(folder, 'power1_cap'))

/**
 * Boards with two dies (Instinct MI250, MI250X) show the power of both at the first; the second says 0 W, and may draw 0 W by its limit
 * (aldebaran_ppt.c: "Valid power data is available only from primary die. For secondary die show the value as 0"). Each second die belongs
 * to the nearest first one of its kind. @returns addresses of first dies, by those of the second
 */
function pairDies(gpus: readonly Described[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  const isSecond = new Map(gpus.map((gpu) => [gpu.pciId, isSecondDie(gpu)]))
  const taken = new Set<string>()
  for (const [at, gpu] of gpus.entries()) {
    if (isSecond.get(gpu.pciId) !== true) continue
    const first = [...gpus.slice(0, at).toReversed(), ...gpus.slice(at)].find(
      (other) => isSecond.get(other.pciId) === false && other.name === gpu.name && !taken.has(other.pciId),
    )
    if (first === undefined) continue
    taken.add(first.pciId)
    pairs.set(gpu.pciId, first.pciId)
  }
  return pairs
}

function isSecondDie({ monitor, device }: Described): boolean {
  const power = powerChannel(monitor)
  if (power === undefined || readCap(monitor, device) !== 0) return false
  return readNumber(join(monitor.folder, powerFile(power))) === 0
}

/** `power2` of handheld devices is the same power, by another limit. */
export const powerChannel = ({ channels }: HwmonDevice): HwmonChannel | undefined =>
  channels.find(
    ({ id, attributes }) => id === 'power1' && (attributes.has('average') || attributes.has('input')),
  )

/** The mean of the firmware tells more of an interval than one moment does. */
export const powerFile = ({ id, attributes }: HwmonChannel): string =>
  attributes.has('average') ? `${id}_average` : `${id}_input`
