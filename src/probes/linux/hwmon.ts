import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { readAttribute } from './attribute.ts'

/**
 * Hardware monitors of the kernel, under `<sysfs>/class/hwmon` (kernel documentation: hwmon/sysfs-interface.rst). Energies are in
 * microjoules, powers in microwatts, voltages in millivolts, currents in milliamperes.
 */
export interface HwmonDevice {
  /** Name of the driver or chip: `amdgpu`, `ina3221`. */
  readonly name: string
  /** What it is and where it is plugged in. Stays what it is when the kernel gives the monitor another number. */
  readonly identity: string
  /** Folder of its attributes. */
  readonly folder: string
  /** Real folder of the device that it monitors, such as that of a PCI card; `undefined` for monitors of nothing in particular. */
  readonly device: string | undefined
  readonly channels: readonly HwmonChannel[]
}

/** What is measured at one place. */
export interface HwmonChannel {
  readonly quantity: HwmonQuantity
  readonly number: number
  /** `power1`, `in3`: how its attributes begin. */
  readonly id: string
  readonly label: string | undefined
  /** What there is of it: `input`, `average`, `cap`. */
  readonly attributes: ReadonlySet<string>
}

type HwmonQuantity = 'energy' | 'power' | 'in' | 'curr'

/** The hardware monitors of some names that are there now, by number. Of the others nothing else is read. */
export function findHwmonDevices(
  sysfsPath: string,
  isWanted: (name: string) => boolean = () => true,
): readonly HwmonDevice[] {
  return listHwmon(sysfsPath).flatMap((entry) => {
    const device = describe(join(sysfsPath, 'class/hwmon', entry), isWanted)
    return device === undefined ? [] : [device]
  })
}

/** Names of the monitors' folders. Cheap: for those who want to know whether one has come or gone. */
export function listHwmon(sysfsPath: string): readonly string[] {
  const names = list(join(sysfsPath, 'class/hwmon')).filter((name) => /^hwmon\d+$/.test(name))
  return names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** Drivers of the old interface keep their attributes, and their name, with the device itself: `power_meter` does. */
function describe(entry: string, isWanted: (name: string) => boolean): HwmonDevice | undefined {
  for (const folder of [entry, join(entry, 'device')]) {
    const name = readAttribute(join(folder, 'name'))
    if (name === undefined) continue
    if (!isWanted(name)) return undefined
    const device = realFolder(join(entry, 'device'))
    const identity = `${name} at ${device ?? realFolder(entry) ?? entry}`
    return { name, identity, folder, device, channels: channelsIn(folder) }
  }
  return undefined
}

function channelsIn(folder: string): readonly HwmonChannel[] {
  const found = new Map<string, Set<string>>()
  for (const file of list(folder)) {
    const [, id, attribute] = /^((?:energy|power|in|curr)\d+)_(.+)$/.exec(file) ?? []
    if (id === undefined || attribute === undefined) continue
    const attributes = found.get(id)
    if (attributes === undefined) found.set(id, new Set([attribute]))
    else attributes.add(attribute)
  }
  return [...found]
    .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([id, attributes]) => ({
      quantity: id.replace(/\d+$/, '') as HwmonQuantity,
      number: Number(/\d+$/.exec(id)?.[0]),
      id,
      label: attributes.has('label') ? readAttribute(join(folder, `${id}_label`)) : undefined,
      attributes,
    }))
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    // Not there, or left while we looked.
    return []
  }
}

function realFolder(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    // A monitor without a device.
    return undefined
  }
}
