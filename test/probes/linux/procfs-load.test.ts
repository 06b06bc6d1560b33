import { describe, expect, onTestFinished, test } from 'vitest'
import { ProbeUnavailable } from '../../../src/core/errors.ts'
import type { LoadSource } from '../../../src/core/load.ts'
import { seconds } from '../../../src/core/units.ts'
import { openProcfsLoad, parseCpuTimes, parseMemory } from '../../../src/probes/linux/procfs-load.ts'
import { cpuTimes } from '../../fixtures/fake-procfs.ts'
import { fakeSysfs, type FakeTree } from '../../fixtures/fake-sysfs.ts'

const meminfo = (total: number, available: number): string =>
  `MemTotal:       ${total} kB\nMemFree:          1000 kB\nMemAvailable:   ${available} kB\nBuffers: 5 kB\n`

describe('CPU times', () => {
  test('are busy in user, nice, system and interrupts, and idle in waiting and in time taken by a hypervisor', () => {
    const text = cpuTimes({
      user: 100,
      nice: 20,
      system: 50,
      idle: 700,
      iowait: 80,
      irq: 3,
      softirq: 7,
      steal: 40,
    })
    expect(parseCpuTimes(text)).toEqual({ cpuBusy: 1.8, cpuCapacity: 10 })
  })

  test('of an old kernel with four columns are read', () => {
    expect(parseCpuTimes('cpu  10 0 10 80\ncpu0 10 0 10 80\n')).toEqual({ cpuBusy: 0.2, cpuCapacity: 1 })
  })

  test('of guests are not counted twice, for they are in user time already', () => {
    expect(parseCpuTimes('cpu  100 0 0 100 0 0 0 0 90 10\n')).toEqual({ cpuBusy: 1, cpuCapacity: 2 })
  })

  test.each(['', 'intr 5\n', 'cpu0 1 2 3 4\n', 'cpu \n', 'cpu  \n'])('are not in %j', (text) => {
    expect(parseCpuTimes(text)).toBeUndefined()
  })
})

describe('memory', () => {
  test('in use is what is not available', () => {
    expect(parseMemory(meminfo(16_000, 10_000))).toEqual({
      memoryTotalBytes: 16_000 * 1024,
      memoryUsedBytes: 6000 * 1024,
    })
  })

  test('of a kernel that does not tell what is available goes by what is free', () => {
    expect(parseMemory('MemTotal: 100 kB\nMemFree: 30 kB\n')).toEqual({
      memoryTotalBytes: 100 * 1024,
      memoryUsedBytes: 70 * 1024,
    })
  })

  test('with a size alone has a size alone', () => {
    expect(parseMemory('MemTotal: 100 kB\n')).toEqual({ memoryTotalBytes: 100 * 1024 })
  })

  test.each(['', 'Buffers: 5 kB\n'])('is not in %j', (text) => {
    expect(parseMemory(text)).toBeUndefined()
  })
})

describe('the load of procfs', () => {
  function open(files: Record<string, string>): { proc: FakeTree; load: LoadSource } {
    const proc = fakeSysfs(files)
    const load = openProcfsLoad(proc.path)
    onTestFinished(() => {
      load.close?.()
    })
    return { proc, load }
  }

  test('tells CPU times and memory, as they are now', () => {
    const { proc, load } = open({ stat: cpuTimes({ user: 100, idle: 900 }), meminfo: meminfo(1000, 400) })
    expect(load.read(seconds(1))).toEqual({
      cpuBusy: 1,
      cpuCapacity: 10,
      memoryTotalBytes: 1000 * 1024,
      memoryUsedBytes: 600 * 1024,
    })
    proc.write('stat', cpuTimes({ user: 150, idle: 950 }))
    proc.write('meminfo', meminfo(1000, 500))
    expect(load.read(seconds(2))).toMatchObject({
      cpuBusy: 1.5,
      cpuCapacity: 11,
      memoryUsedBytes: 500 * 1024,
    })
  })

  test('is read once for callers at the same moment', () => {
    const { proc, load } = open({ stat: cpuTimes({ user: 100, idle: 900 }) })
    const first = load.read(seconds(1))
    proc.write('stat', cpuTimes({ user: 200, idle: 900 }))
    expect(load.read(seconds(1))).toEqual(first)
    expect(load.read(seconds(1.02))).not.toEqual(first)
  })

  test('without memory tells CPU times alone', () => {
    const { load } = open({ stat: cpuTimes({ user: 100, idle: 900 }) })
    expect(load.read(seconds(1))).toEqual({ cpuBusy: 1, cpuCapacity: 10 })
  })

  test('that turns into nonsense is unknown, not zero', () => {
    const { proc, load } = open({ stat: cpuTimes({ user: 100, idle: 900 }), meminfo: meminfo(1000, 400) })
    proc.write('stat', 'nonsense')
    proc.write('meminfo', '')
    expect(load.read(seconds(1))).toEqual({})
  })

  test('after it is closed is unknown, and closing twice does no harm', () => {
    const { load } = open({ stat: cpuTimes({ user: 100, idle: 900 }) })
    load.close?.()
    load.close?.()
    expect(load.read(seconds(5))).toEqual({})
  })

  test.each([
    ['there is no procfs', {}],
    ['stat has no CPU times', { stat: 'intr 5\n' }],
  ])('is refused where %s, with what would help', (_, files) => {
    const proc = fakeSysfs(files)
    const refusal = expect(() => openProcfsLoad(proc.path))
    refusal.toThrow(ProbeUnavailable)
    refusal.toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('procfs_path') as string }) as Error,
    )
  })
})
