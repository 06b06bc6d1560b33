import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEdacModules } from './edac.ts'
import { totalBytes, type MemoryModule } from './memory-module.ts'
import { parseMemoryModules } from './smbios.ts'

/** With half of it kept as a mirror, and much of the rest held back by kernel and firmware, there is still more to see than a quarter. */
const mostTimesUsable = 4

/**
 * The memory modules of this machine: what its firmware says, which only root may read, else what the kernel's error detection says.
 * Neither is believed that tells of less memory than the system can use, or of absurdly more; `undefined` then.
 *
 * @param usableBytes what the system can use of the memory, `MemTotal`: less than is installed, for kernel and firmware hold some back
 */
export function readMemoryModules(
  sysfsPath: string,
  usableBytes: number,
): readonly MemoryModule[] | undefined {
  for (const read of [readFirmwareModules, readEdacModules]) {
    const modules = read(sysfsPath)
    const installed = totalBytes(modules)
    if (installed >= usableBytes && installed <= mostTimesUsable * usableBytes) return modules
  }
  return undefined
}

/** From the table that every kernel since 4.2 shows (Documentation/ABI/testing/sysfs-firmware-dmi-tables of Linux). */
function readFirmwareModules(sysfsPath: string): readonly MemoryModule[] {
  try {
    return parseMemoryModules(readFileSync(join(sysfsPath, 'firmware/dmi/tables/DMI')))
  } catch {
    // Not ours to read, or no such firmware.
    return []
  }
}
