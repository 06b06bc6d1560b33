import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Version 1 shows "no limit" as the highest multiple of a page: anything near it is none. */
const noLimitBytes = 2 ** 60

/**
 * Bytes of memory that this container may use, from the control group of the mounted sysfs: `memory.max` of version 2,
 * `memory.limit_in_bytes` of version 1. `undefined` where there is no limit, as on most hosts.
 */
export function readMemoryLimit(sysfsPath: string): number | undefined {
  for (const file of ['fs/cgroup/memory.max', 'fs/cgroup/memory/memory.limit_in_bytes']) {
    const text = attempt(() => readFileSync(join(sysfsPath, file), 'latin1').trim())
    if (text === undefined || !/^\d+$/.test(text)) continue
    const bytes = Number(text)
    if (bytes > 0 && bytes < noLimitBytes) return bytes
  }
  return undefined
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    // No such version of control groups here.
    return undefined
  }
}
