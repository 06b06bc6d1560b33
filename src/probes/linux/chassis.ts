import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a machine is by the shape of its case. */
export type Chassis = 'laptop' | 'desktop' | 'server'

/** System enclosure types of SMBIOS (DMTF DSP0134, table "System Enclosure or Chassis Types"). */
const types: Readonly<Record<Chassis, readonly number[]>> = {
  // Portable, laptop, notebook, sub-notebook, tablet, convertible, detachable
  laptop: [8, 9, 10, 14, 30, 31, 32],
  // Desktop, low profile, pizza box, mini tower, tower, all in one, space saving, lunch box, mini PC, stick PC
  desktop: [3, 4, 5, 6, 7, 13, 15, 16, 35, 36],
  // Main server, rack mount, multi-system, blade, blade enclosure
  server: [17, 23, 25, 28, 29],
}

/**
 * The kind of machine, from `class/dmi/id/chassis_type`, which everybody may read. `undefined` where the firmware does not say: boards
 * without DMI, virtual machines ("other"), containers without sysfs.
 */
export function readChassis(sysfsPath: string): Chassis | undefined {
  let text: string
  try {
    text = readFileSync(join(sysfsPath, 'class/dmi/id/chassis_type'), 'latin1')
  } catch {
    // No DMI here.
    return undefined
  }
  const type = /^\d+\s*$/.test(text) ? Number(text) : undefined
  if (type === undefined) return undefined
  return (['laptop', 'desktop', 'server'] as const).find((chassis) => types[chassis].includes(type))
}
