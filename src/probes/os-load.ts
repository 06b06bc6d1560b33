import { cpus, freemem, totalmem } from 'node:os'
import type { LoadSource, TreeSource } from '../core/load.ts'
import { fromMicroseconds, fromMilliseconds } from '../core/units.ts'

/** How busy the machine is where there is no procfs (macOS, Windows): the CPU times and memory that Node itself reports. */
export function openOsLoad(): LoadSource {
  return {
    read() {
      let busyMs = 0
      let idleMs = 0
      for (const { times } of cpus()) {
        busyMs += times.user + times.nice + times.sys + times.irq
        idleMs += times.idle
      }
      const memoryTotalBytes = totalmem()
      return {
        cpuBusy: fromMilliseconds(busyMs),
        cpuCapacity: fromMilliseconds(busyMs + idleMs),
        memoryTotalBytes,
        memoryUsedBytes: memoryTotalBytes - freemem(),
      }
    },
  }
}

/** This process alone, where there is no procfs to tell of its children (macOS, Windows). */
export function createSelfProcess(): TreeSource {
  return {
    read() {
      const { user, system } = process.cpuUsage()
      return { cpu: fromMicroseconds(user + system), residentBytes: process.memoryUsage.rss() }
    },
  }
}
