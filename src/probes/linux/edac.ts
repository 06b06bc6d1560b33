import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MemoryModule } from './memory-module.ts'

/**
 * Memory modules as the kernel's error detection knows them: `<sysfs>/devices/system/edac/mc/mc*`, where a driver for the memory
 * controllers is loaded, as on most servers. Anyone may read it. Some drivers know modules (`dimm*`), others only the ranks of chips
 * on them (`rank*`); sizes are in MiB (Documentation/ABI/testing/sysfs-devices-edac of Linux).
 */
export function readEdacModules(sysfsPath: string): readonly MemoryModule[] {
  const controllers = join(sysfsPath, 'devices/system/edac/mc')
  return foldersIn(controllers, /^mc\d+$/).flatMap((controller) =>
    foldersIn(controller, /^(dimm|rank)\d+$/).flatMap((folder) => readModule(folder) ?? []),
  )
}

function readModule(folder: string): MemoryModule | undefined {
  const mebibytes = attribute(folder, 'size')
  const type = attribute(folder, 'dimm_mem_type')
  if (!/^[1-9]\d*$/.test(mebibytes) || otherPurposes.test(type)) return undefined
  const part = /rank\d+$/.test(folder) ? 'rank' : 'module'
  return { part, bytes: Number(mebibytes) * 2 ** 20, kind: kindOf(type), megatransfersPerSecond: undefined }
}

/** Persistent memory, which Linux has as disks, and memory on the package of a processor or a graphics processor, which counts with that. */
const otherPurposes = /^(Non-volatile|High-bandwidth|HBM)/i

/** The names are those of `edac_mem_types` in drivers/edac/edac_mc.c: `Registered-DDR4`, `Low-Power-DDR4-RAM`. */
function kindOf(type: string): string | undefined {
  const generation = /DDR\d*/.exec(type)?.[0]
  return generation !== undefined && type.startsWith('Low-Power') ? `LP${generation}` : generation
}

function foldersIn(folder: string, name: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((entry) => name.test(entry))
      .map((entry) => join(folder, entry))
  } catch {
    // No such driver here.
    return []
  }
}

function attribute(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'latin1').trim()
  } catch {
    // A driver that left while we looked tells nothing.
    return ''
  }
}
