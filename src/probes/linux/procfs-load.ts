import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProbeUnavailable } from '../../core/errors.ts'
import type { Load, LoadSource } from '../../core/load.ts'
import { seconds, type Seconds } from '../../core/units.ts'
import { openPseudoFile, type PseudoFile } from './pseudo-file.ts'

/** Clock ticks per second of procfs; fixed at 100 in the kernel's interface to programs on every architecture Node runs on. */
const ticksPerSecond = 100

/** Reads are shared for this long: the kernel's own resolution is no better. */
const shareSeconds = 0.01

/**
 * How busy the machine is, from `<procfs>/stat` (proc_stat(5), resolution 10 ms) and `<procfs>/meminfo`. Time stolen by a hypervisor
 * and time waiting for disks count as capacity, not as busy.
 *
 * @throws ProbeUnavailable where there is no readable `stat`
 */
export function openProcfsLoad(procfsPath = '/proc'): LoadSource {
  const path = join(procfsPath, 'stat')
  let stat: PseudoFile
  try {
    stat = openPseudoFile(path)
    if (parseCpuTimes(stat.text()) === undefined) throw new Error(`${path} has no line of CPU times`)
  } catch (error) {
    throw new ProbeUnavailable(
      `the CPU's load cannot be read from ${path}`,
      'mount procfs there, or name its place with procfs_path',
      { cause: error },
    )
  }
  const meminfo = tryOpen(join(procfsPath, 'meminfo'))
  let last: { at: Seconds; load: Load } | undefined

  return {
    read(at) {
      if (last !== undefined && at - last.at < shareSeconds && at >= last.at) return last.load
      const load = { ...attempt(() => parseCpuTimes(stat.text())), ...attempt(() => readMemory(meminfo)) }
      last = { at, load }
      return load
    },
    close() {
      stat.close()
      meminfo?.close()
    },
  }
}

/** The first line of `/proc/stat`: user nice system idle iowait irq softirq steal, in clock ticks of all CPUs together. */
export function parseCpuTimes(text: string): Pick<Load, 'cpuBusy' | 'cpuCapacity'> | undefined {
  const line = /^cpu +(\d+(?: \d+){3,})/.exec(text)?.[1]
  if (line === undefined) return undefined
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(' ')
    .map(Number)
  const busy = user + nice + system + irq + softirq
  return {
    cpuBusy: seconds(busy / ticksPerSecond),
    cpuCapacity: seconds((busy + idle + iowait + steal) / ticksPerSecond),
  }
}

/** `MemTotal` and `MemAvailable` of `/proc/meminfo`, which counts in KiB and calls them kB. */
export function parseMemory(text: string): Pick<Load, 'memoryUsedBytes' | 'memoryTotalBytes'> | undefined {
  const kibibytes = (key: string): number | undefined => {
    const found = new RegExp(`^${key}: +(\\d+) kB`, 'm').exec(text)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  const total = kibibytes('MemTotal')
  const free = kibibytes('MemAvailable') ?? kibibytes('MemFree')
  if (total === undefined) return undefined
  const memoryTotalBytes = total * 1024
  return free === undefined
    ? { memoryTotalBytes }
    : { memoryTotalBytes, memoryUsedBytes: memoryTotalBytes - free * 1024 }
}

const readMemory = (file: PseudoFile | undefined): ReturnType<typeof parseMemory> =>
  file === undefined ? undefined : parseMemory(file.text())

function tryOpen(path: string): PseudoFile | undefined {
  return attempt(() => {
    readFileSync(path)
    return openPseudoFile(path)
  })
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    // What cannot be read is unknown; an absent field of the load says so.
    return undefined
  }
}
