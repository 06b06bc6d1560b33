import { describe, expect, test } from 'vitest'
import { createIntelGpuProbe } from '../../src/probes/intel-gpu.ts'
import { expectReading, itIsAProbeOfACounter } from '../contract/probe.ts'
import { fakeMonitor, timed, type FakeMonitor } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree } from '../fixtures/fake-sysfs.ts'
import { amdCard, intelTiles, intelXe } from '../fixtures/monitors.ts'

const open = (sysfs: FakeTree) => timed(createIntelGpuProbe({ sysfsPath: sysfs.path }))

function openXe(): ReturnType<typeof open> & { card: FakeMonitor; spend(joules: number): void } {
  const sysfs = fakeSysfs()
  const card = fakeMonitor(sysfs, intelXe)
  let energy = 5
  return {
    card,
    ...open(sysfs),
    spend(joules) {
      energy += joules
      card.set('energy1_input', energy * 1e6)
      card.set('energy2_input', energy * 0.8e6)
    },
  }
}

itIsAProbeOfACounter('intel-gpu with a card and its package', ({ counterJoules }) => {
  const sysfs = fakeSysfs()
  const card = fakeMonitor(sysfs, intelXe)
  let energy = counterJoules
  const spend = (joules: number): void => {
    energy += joules
    card.set('energy1_input', energy * 1e6)
    card.set('energy2_input', Math.round(energy * 0.8e6))
  }
  spend(0)
  return {
    ...open(sysfs),
    work: (time) => {
      spend(150 * time)
    },
    counter: {
      domain: 'intel-gpu-0',
      spend,
      fail: () => {
        card.breakFile('energy1_input')
      },
      repair: () => {
        spend(0)
      },
    },
  }
})

describe('what the drivers of Intel show of a card', () => {
  test('the card counts, and its package is a part of it', () => {
    const { read, spend } = openXe()
    read()
    spend(100)
    const result = read()
    expect(expectReading(result, 'intel-gpu-0')).toMatchObject({
      energy: 100,
      method: 'measured',
      component: 'gpu',
      kind: 'gpu',
    })
    expect(expectReading(result, 'intel-gpu-0').parent).toBeUndefined()
    expect(expectReading(result, 'intel-gpu-0-package')).toMatchObject({
      energy: 80,
      parent: 'intel-gpu-0',
      kind: 'other',
    })
  })

  test('where the card has no counter, its package counts', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, intelXe).remove('energy1_input')
    const { readings } = open(sysfs).read()
    expect(readings.map(({ domain, parent }) => [domain, parent])).toEqual([['intel-gpu-0', undefined]])
  })

  test('tiles are parts of their card', () => {
    const sysfs = fakeSysfs()
    for (const monitor of intelTiles()) fakeMonitor(sysfs, monitor)
    const { readings } = open(sysfs).read()
    expect(readings.map(({ domain, parent }) => [domain, parent])).toEqual([
      ['intel-gpu-0', undefined],
      ['intel-gpu-0-gt0', 'intel-gpu-0'],
      ['intel-gpu-0-gt1', 'intel-gpu-0'],
    ])
  })

  test('it is read before its register can wrap twice', () => {
    // 2^32 steps of 2^-14 J at the highest power that is taken for possible.
    expect(openXe().probe.maxInterval).toBeLessThanOrEqual(2 ** 18 / 1200 / 2)
  })

  test('a card is known by its address and its name', () => {
    expect(openXe().probe.devices).toMatchObject([
      { index: 0, pciId: '0000:04:00.0', name: 'Intel GPU 8086:e20b', isPartOfPackage: false },
    ])
  })

  test('cards of others, and graphics in the processor, are none of its business', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdCard())
    fakeMonitor(sysfs, { ...intelXe, device: 'devices/pci0000:00/0000:00:02.0' })
    expect(() => open(sysfs)).toThrow(/no graphics card of Intel/)
  })
})

describe('faults of a counter', () => {
  test('one that starts again is a gap and goes on from there', () => {
    const { card, read, spend } = openXe()
    read()
    spend(50)
    read()
    card.set('energy1_input', 2_000_000)
    const again = read(1)
    expect(again.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', subject: 'intel-gpu-0', gap: 1 }])
    expect(expectReading(again, 'intel-gpu-0').energy).toBe(50)
    card.set('energy1_input', 12_000_000)
    expect(expectReading(read(1), 'intel-gpu-0').energy).toBe(60)
  })

  test('a sudden 0 that is over at the next read costs nothing', () => {
    const { card, read, spend } = openXe()
    spend(200_000)
    read()
    read()
    card.set('energy1_input', 0)
    read()
    spend(70)
    expect(expectReading(read(), 'intel-gpu-0').energy).toBe(200_070)
  })

  test('a rise beyond any power is not counted, at once or later', () => {
    const { card, read, spend } = openXe()
    read()
    card.set('energy1_input', 9e15)
    const jumped = read(1)
    expect(jumped.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', subject: 'intel-gpu-0' }])
    expect(expectReading(jumped, 'intel-gpu-0').energy).toBe(0)
    spend(10)
    expect(expectReading(read(1), 'intel-gpu-0').energy).toBe(0)
    spend(10)
    expect(expectReading(read(1), 'intel-gpu-0').energy).toBe(10)
  })

  test('one that comes back under another number is another counter: nothing is counted between', () => {
    const { card, read, spend } = openXe()
    read()
    spend(20)
    read()
    card.vanish()
    expect(read(5).readings).toEqual([])
    spend(500)
    card.vanish()
    card.appear(6)
    const back = read(5)
    expect(expectReading(back, 'intel-gpu-0').energy).toBe(20)
    expect(back.problems.map(({ code }) => code)).toContain('ERR_COUNTER_GAP')
    spend(30)
    expect(expectReading(read(), 'intel-gpu-0').energy).toBe(50)
  })

  test('a card that sleeps is not asked, and its counter stands', () => {
    const { card, read, spend } = openXe()
    read()
    spend(20)
    read()
    card.setDevice('power/runtime_status', 'suspended')
    spend(30)
    for (let time = 0; time < 30; time += 1) {
      const asleep = read()
      expect(asleep.problems).toEqual([])
      expect(expectReading(asleep, 'intel-gpu-0').energy).toBe(20)
    }
    card.setDevice('power/runtime_status', 'active')
    expect(expectReading(read(), 'intel-gpu-0').energy).toBe(50)
  })
})
