import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { LoadSource } from '../../src/core/load.ts'
import { seconds } from '../../src/core/units.ts'
import { describeMachine } from '../../src/probes/machine.ts'
import { createSelfProcess, openOsLoad } from '../../src/probes/os-load.ts'
import { fakeSysfs } from '../fixtures/fake-sysfs.ts'
import { twoSocketXeon } from '../fixtures/machines.ts'

describe.runIf(process.platform === 'linux')('a machine with procfs', () => {
  test('is described by it', () => {
    const proc = fakeSysfs({ cpuinfo: twoSocketXeon.cpuinfo })
    const load: LoadSource = { read: () => ({ memoryTotalBytes: 64e9 }) }
    const { cpu, memoryBytes, os } = describeMachine(proc.path, load)
    expect(cpu).toMatchObject({ logicalCpus: 96, sockets: 2, vendor: 'GenuineIntel' })
    expect(memoryBytes).toBe(64e9)
    expect(os).toMatch(/^Linux-/)
  })

  test('whose procfs is not there has a number of CPUs, and nothing else is known', () => {
    const proc = fakeSysfs()
    const { cpu, memoryBytes } = describeMachine(proc.path, undefined)
    expect(cpu).toEqual({ logicalCpus: availableParallelism(), isVirtual: false })
    expect(memoryBytes).toBeUndefined()
  })
})

describe('a machine without procfs', () => {
  test('has the load that Node tells', () => {
    const load = openOsLoad().read(seconds(0))
    expect(load.cpuBusy).toBeGreaterThanOrEqual(0)
    expect(load.cpuCapacity).toBeGreaterThanOrEqual(load.cpuBusy ?? Infinity)
    expect(load.memoryTotalBytes).toBeGreaterThan(load.memoryUsedBytes ?? Infinity)
    expect(load.memoryUsedBytes).toBeGreaterThan(0)
  })

  test('can tell of this process alone', () => {
    const self = createSelfProcess()
    const before = self.read()
    const start = process.cpuUsage()
    while (process.cpuUsage(start).user < 20_000);
    const after = self.read()
    expect((after?.cpu ?? 0) - (before?.cpu ?? 0)).toBeGreaterThanOrEqual(0.02)
    expect(after?.residentBytes).toBeGreaterThan(1_000_000)
  })
})
