import { toGibibytes } from '../core/units.ts'
import { readMemoryLimit } from './linux/memory-limit.ts'
import { areLowPower, describeModules, totalBytes } from './linux/memory-module.ts'
import { readMemoryModules } from './linux/memory-modules.ts'
import type { Machine } from './machine.ts'

/** The memory whose power is estimated. */
export interface Memory {
  readonly bytes: number
  /** Whether it is known to be of a low-power kind. */
  readonly isLowPower: boolean
  /** What it is, in words. */
  readonly basis: string
}

/**
 * The memory that is this machine's to power: in a container what it is limited to, however much its host has; else what is installed,
 * where modules are told of; else what the system can use. `undefined` where not even that is known.
 */
export function findMemory(machine: Machine, sysfsPath: string): Memory | undefined {
  const { memoryBytes: usable } = machine
  if (usable === undefined) return undefined
  const modules = modulesOf(machine, usable, sysfsPath)
  const isLowPower = areLowPower(modules ?? [])
  const limit = findMemoryLimit(machine, sysfsPath)
  if (limit !== undefined) {
    const basis = `${inGibibytes(limit)} of memory, the limit of this container, of ${inGibibytes(usable)}`
    return { bytes: limit, isLowPower, basis }
  }
  return modules === undefined
    ? { bytes: usable, isLowPower, basis: `${inGibibytes(usable)} of memory` }
    : { bytes: totalBytes(modules), isLowPower, basis: describeModules(modules) }
}

/** Bytes that a container is limited to, where that is less than the machine can use. */
export function findMemoryLimit({ memoryBytes }: Machine, sysfsPath: string): number | undefined {
  const limit = process.platform === 'linux' ? readMemoryLimit(sysfsPath) : undefined
  return limit === undefined || memoryBytes === undefined || limit >= memoryBytes ? undefined : limit
}

/** The modules of a virtual machine are its hypervisor's invention, whatever they are called. */
const modulesOf = (
  { cpu }: Machine,
  usable: number,
  sysfsPath: string,
): ReturnType<typeof readMemoryModules> =>
  process.platform === 'linux' && !cpu.isVirtual ? readMemoryModules(sysfsPath, usable) : undefined

const inGibibytes = (bytes: number): string => `${toGibibytes(bytes).toFixed(1)} GiB`
