import { byPciId, gpuName, pciIdOf, type GpuDevice } from './gpu-device.ts'
import { findHwmonDevices, type HwmonChannel, type HwmonDevice } from './hwmon.ts'

/** A graphics processor of Intel and the counters that its driver, i915 or xe, shows of it. */
export interface IntelGpu extends GpuDevice {
  /** Real folder of the PCI device. */
  readonly device: string
  /** Energy of the whole card; of its package where the card has no counter. */
  readonly whole: IntelGpuCounter
  /** Counters of what the whole contains. */
  readonly parts: readonly IntelGpuCounter[]
}

/** One of its energy counters. */
export interface IntelGpuCounter {
  /** `package`, `gt0`; `card` for the whole. */
  readonly part: string
  readonly monitor: HwmonDevice
  readonly channel: HwmonChannel
}

/**
 * Where all of Intel's integrated graphics are. Both drivers show monitors of cards alone (i915_hwmon_register and xe_hwmon_register: "hwmon
 * is available only for dGfx"), so this is a second look.
 */
const integratedPciId = '0000:00:02.0'

/** The graphics processors with energy counters of i915 and xe, in the order of their addresses. */
export function findIntelGpus(sysfsPath: string): readonly IntelGpu[] {
  const monitors = new Map<string, HwmonDevice[]>()
  for (const monitor of findHwmonDevices(sysfsPath, (name) => /^(i915|xe)(_gt\d+)?$/.test(name))) {
    if (monitor.device === undefined) continue
    monitors.set(monitor.device, [...(monitors.get(monitor.device) ?? []), monitor])
  }
  return [...monitors]
    .flatMap(([device, ofDevice]) => {
      const [whole, ...parts] = countersOf(ofDevice)
      return whole === undefined ? [] : [{ ...describe(device), whole, parts }]
    })
    .toSorted(byPciId)
    .map((gpu, index) => ({ ...gpu, index }))
}

function describe(device: string): Omit<IntelGpu, 'index' | 'whole' | 'parts'> {
  const pciId = pciIdOf(device)
  return {
    pciId,
    uniqueId: undefined,
    name: gpuName(device, 'Intel'),
    isPartOfPackage: pciId === integratedPciId,
    device,
  }
}

/** The order says which contains which: a card its package, both of them the tiles (gt). */
function countersOf(monitors: readonly HwmonDevice[]): readonly IntelGpuCounter[] {
  const counters = monitors.flatMap((monitor) =>
    monitor.channels
      .filter(({ quantity, attributes }) => quantity === 'energy' && attributes.has('input'))
      .flatMap((channel) => {
        const part = partOf(monitor, channel)
        return part === undefined ? [] : [{ part, monitor, channel }]
      }),
  )
  const rank = ({ part }: IntelGpuCounter): number => (part === 'card' ? 0 : part === 'package' ? 1 : 2)
  return counters.toSorted((a, b) => rank(a) - rank(b) || a.part.localeCompare(b.part, 'en'))
}

/**
 * `energy1` is the card and `energy2` its package (kernel documentation: ABI/testing/sysfs-driver-intel-xe-hwmon, of i915 likewise); the
 * monitors `i915_gt<N>` count a tile each (drivers/gpu/drm/i915/i915_hwmon.c). What else there may be is not known to lie in which.
 */
function partOf({ name }: HwmonDevice, { id }: HwmonChannel): string | undefined {
  const tile = /_(gt\d+)$/.exec(name)?.[1]
  if (tile !== undefined) return id === 'energy1' ? tile : undefined
  return { energy1: 'card', energy2: 'package' }[id]
}
