import { describe, expect, test } from 'vitest'
import type { Machine } from '../../src/probes/machine.ts'
import { findMemory } from '../../src/probes/memory.ts'
import { fakeSysfs, type Tree } from '../fixtures/fake-sysfs.ts'
import { table, tableFile } from '../fixtures/smbios.ts'

const gibibyte = 2 ** 30

const machineOf = (memoryBytes: number | undefined, isVirtual = false): Machine => ({
  cpu: { logicalCpus: 8, isVirtual },
  memoryBytes,
  os: 'Linux',
})

const found = (files: Tree, machine: Machine = machineOf(62.6 * gibibyte)) =>
  findMemory(machine, fakeSysfs(files).path)

const fourModules = { [tableFile]: table([{}, {}, {}, {}]) }
const limitOf = (bytes: number): Tree => ({ 'fs/cgroup/memory.max': `${bytes}\n` })

describe.runIf(process.platform === 'linux')('the memory that is estimated', () => {
  test('is what is installed, of which the system can use a little less', () => {
    expect(found(fourModules)).toEqual({
      bytes: 64 * gibibyte,
      isLowPower: false,
      basis: '4 modules of 16 GiB DDR4 at 3200 MT/s',
    })
  })

  test('is what the system can use where nobody tells of modules', () => {
    expect(found({})).toEqual({ bytes: 62.6 * gibibyte, isLowPower: false, basis: '62.6 GiB of memory' })
  })

  test('is what the system can use in a virtual machine, whatever its hypervisor makes up', () => {
    const made = { [tableFile]: table([{ size: 0x7fff, extendedSize: 128 * 1024 }]) }
    expect(found(made, machineOf(62.6 * gibibyte, true))?.bytes).toBe(62.6 * gibibyte)
  })

  test('is what a container is limited to, of the kind that its host has', () => {
    const files = { [tableFile]: table([{ type: 0x23, size: 0x4000 }]), ...limitOf(4 * gibibyte) }
    expect(found(files, machineOf(15.5 * gibibyte))).toEqual({
      bytes: 4 * gibibyte,
      isLowPower: true,
      basis: '4.0 GiB of memory, the limit of this container, of 15.5 GiB',
    })
  })

  test('is what is installed where a container’s limit is more than that', () => {
    expect(found({ ...fourModules, ...limitOf(63 * gibibyte) })?.bytes).toBe(64 * gibibyte)
  })

  test('is low-power memory only where all of it is', () => {
    const machine = machineOf(31 * gibibyte)
    const lowPower = { type: 0x1e }
    expect(found({ [tableFile]: table([lowPower, lowPower]) }, machine)?.isLowPower).toBe(true)
    expect(found({ [tableFile]: table([lowPower, {}]) }, machine)?.isLowPower).toBe(false)
  })

  test('is unknown where not even its size is', () => {
    expect(found(fourModules, machineOf(undefined))).toBeUndefined()
  })
})
