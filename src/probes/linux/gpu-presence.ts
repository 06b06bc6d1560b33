import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** PCI classes of display controllers, of 3D and other controllers without an output, and of accelerators (pci.ids). */
const gpuClasses = /^0x(03(00|02|80)|1200)/
/** Where all graphics are that are part of an Intel processor, and counted with its package. */
const integrated = '0000:00:02.0'
/** The card that Windows lends to its Linux: nobody says whose it is. */
const lent = { vendor: '0x1414', class: /^0x0302/ }
const vendors: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' }

/**
 * Graphics processors on the PCI bus, by vendor, from `<sysfs>/bus/pci/devices`. It only tells that they are there, so that their energy
 * can be called unmeasured instead of zero. `undefined` where the bus cannot be listed.
 */
export function findGpus(sysfsPath = '/sys'): readonly string[] | undefined {
  const bus = join(sysfsPath, 'bus/pci/devices')
  let devices: readonly string[]
  try {
    devices = readdirSync(bus)
  } catch {
    return undefined
  }
  return devices.flatMap((device) => {
    const kind = attribute(join(bus, device, 'class'))
    if (device === integrated || !gpuClasses.test(kind)) return []
    const id = attribute(join(bus, device, 'vendor'))
    if (id === lent.vendor) return lent.class.test(kind) ? ['unknown'] : []
    return vendors[id] ?? []
  })
}

function attribute(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    // A device that left while we looked is not there.
    return ''
  }
}
