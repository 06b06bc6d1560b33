import { describe, expect, onTestFinished, test } from 'vitest'
import { ProbeUnavailable } from '../../src/core/errors.ts'
import type { ProbeResult } from '../../src/core/probe.ts'
import { seconds } from '../../src/core/units.ts'
import { createRaplProbe, type RaplOptions, type RaplProbe } from '../../src/probes/rapl.ts'
import { expectReading, itIsAProbeOfACounter } from '../contract/probe.ts'
import { asNobody } from '../fixtures/as-nobody.ts'
import {
  fakeCounter,
  fakeSysfs,
  usualRange,
  type FakeCounter,
  type FakeTree,
} from '../fixtures/fake-sysfs.ts'
import {
  amdZenDesktop,
  clientRange,
  dramRange,
  intelClientWithPsys,
  rootOnlyDesktop,
  twoSocketXeon,
  virtualMachine,
} from '../fixtures/machines.ts'

const powercap = 'class/powercap'

/** A probe and its time. */
interface Bench {
  readonly probe: RaplProbe
  /** Reads after a time, by default a second. */
  read(passed?: number, resumed?: boolean): ProbeResult
}

function open(sysfs: FakeTree, options: Omit<RaplOptions, 'sysfsPath'> = {}): Bench {
  const probe = createRaplProbe({ sysfsPath: sysfs.path, ...options })
  onTestFinished(() => {
    probe.close?.()
  })
  let at = 100
  return {
    probe,
    read(passed = 1, resumed = false) {
      at += passed
      return probe.read({ at: seconds(at), resumed })
    },
  }
}

/** Energy that counts towards a component: what has no parent. */
function total({ readings }: ProbeResult, component: string): number {
  return readings
    .filter((reading) => reading.parent === undefined && reading.component === component)
    .reduce((sum, { energy }) => sum + energy, 0)
}

const domains = ({ readings }: ProbeResult): readonly string[] => readings.map(({ domain }) => domain)
const codes = ({ problems }: ProbeResult): readonly string[] => problems.map(({ code }) => code)
const energyOf = (result: ProbeResult, domain: string): number => expectReading(result, domain).energy

function refusal(sysfs: FakeTree, isContainer = false): ProbeUnavailable {
  try {
    createRaplProbe({ sysfsPath: sysfs.path, isContainer }).close?.()
  } catch (error) {
    if (error instanceof ProbeUnavailable) return error
    throw error
  }
  throw new Error('the probe was opened')
}

itIsAProbeOfACounter('rapl with one package', ({ counterJoules }) => {
  const sysfs = fakeSysfs()
  const counter = fakeCounter(sysfs, {
    folder: `${powercap}/intel-rapl:0`,
    start: counterJoules * 1e6,
    range: clientRange,
  })
  return {
    ...open(sysfs),
    work: (time) => {
      counter.spend(65 * time)
    },
    counter: { ...counter, domain: 'package-0' },
  }
})

itIsAProbeOfACounter('rapl with two sockets, their memory and cores', ({ counterJoules }) => {
  const sysfs = fakeSysfs()
  const start = counterJoules * 1e6
  const zones = ['package-0', 'core', 'dram', 'package-1', 'core', 'dram'].map((name, index) => {
    const socket = index < 3 ? 0 : 1
    const part = index % 3 === 0 ? '' : `:${(index % 3) - 1}`
    const folder = `${powercap}/intel-rapl:${socket}${part}`
    return fakeCounter(sysfs, { folder, name, start, range: clientRange })
  })
  const [, , , second] = zones as [FakeCounter, FakeCounter, FakeCounter, FakeCounter]
  return {
    ...open(sysfs),
    work: (time) => {
      for (const zone of zones) zone.spend(30 * time)
    },
    counter: { ...second, domain: 'package-1' },
  }
})

describe('what rapl counts', () => {
  test('the energy of one package is what its counter moved by', () => {
    const sysfs = fakeSysfs()
    const counter = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0`, start: 100, range: clientRange })
    const { probe, read } = open(sysfs)
    read()
    counter.spend(15)
    expect(energyOf(read(1), 'package-0')).toBe(15)
    counter.spend(30)
    expect(energyOf(read(2), 'package-0')).toBe(45)
    expect(probe.components).toEqual(['cpu'])
    expect(probe.isWholePlatform).toBe(false)
  })

  test('a desktop of AMD has its package, and the cores as a part of it', () => {
    const { read } = open(fakeSysfs(amdZenDesktop.sysfs))
    const result = read()
    expect(domains(result)).toEqual(['core-0', 'package-0'])
    expect(expectReading(result, 'core-0')).toMatchObject({
      parent: 'package-0',
      component: 'cpu',
      kind: 'core',
    })
    expect(expectReading(result, 'package-0').parent).toBeUndefined()
  })

  test('packages of several sockets add up to the processor, and memory inside them to the memory', () => {
    const sysfs = fakeSysfs(twoSocketXeon.sysfs)
    const folders = ['intel-rapl:0', 'intel-rapl:1', 'intel-rapl:0:0', 'intel-rapl:1:0']
    const names = ['package-0', 'package-1', 'dram', 'dram']
    const [first, second, firstDram, secondDram] = folders.map((folder, index) =>
      fakeCounter(sysfs, {
        folder: `${powercap}/${folder}`,
        name: names[index] ?? '',
        range: index < 2 ? usualRange : dramRange,
      }),
    ) as [FakeCounter, FakeCounter, FakeCounter, FakeCounter]
    const { probe, read } = open(sysfs)
    read()
    first.spend(10)
    second.spend(20)
    firstDram.spend(3)
    secondDram.spend(4)
    const result = read()
    expect(domains(result)).toEqual(['dram-0', 'dram-1', 'package-0', 'package-1'])
    expect(total(result, 'cpu')).toBeCloseTo(30, 9)
    expect(total(result, 'ram')).toBeCloseTo(7, 9)
    for (const { parent, method } of result.readings) {
      expect(parent).toBeUndefined()
      expect(method).toBe('measured')
    }
    expect(probe.components).toEqual(['cpu', 'ram'])
  })

  test('a memory counter beside the packages counts as memory too', () => {
    const sysfs = fakeSysfs()
    const cpu = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const dram = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'dram', range: dramRange })
    const { read } = open(sysfs)
    read()
    cpu.spend(10)
    dram.spend(4)
    const result = read()
    expect([total(result, 'cpu'), total(result, 'ram')]).toEqual([10, 4])
  })

  test('memory is left out where an estimate is asked for', () => {
    const { probe, read } = open(fakeSysfs(twoSocketXeon.sysfs), { includeDram: false })
    expect(domains(read())).toEqual(['package-0', 'package-1'])
    expect(probe.components).toEqual(['cpu'])
  })

  test('two packages with one name are one package', () => {
    const sysfs = fakeSysfs()
    const first = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const again = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1` })
    const { read } = open(sysfs)
    read()
    first.spend(10)
    again.spend(20)
    expect(total(read(), 'cpu')).toBe(10)
  })
})

describe('where rapl finds its zones', () => {
  test.each([
    ['flat under class', 'class/powercap/intel-rapl:0', 'class/powercap/intel-rapl:0:0'],
    [
      'under the control type',
      'class/powercap/intel-rapl/intel-rapl:0',
      'class/powercap/intel-rapl/intel-rapl:0:0',
    ],
    ['each in its owner', 'class/powercap/intel-rapl:0', 'class/powercap/intel-rapl:0/intel-rapl:0:0'],
    [
      'nested under devices',
      'devices/virtual/powercap/intel-rapl/intel-rapl:0',
      'devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:0',
    ],
  ])('zones laid out %s are found', (_, packageFolder, dramFolder) => {
    const sysfs = fakeSysfs()
    const cpu = fakeCounter(sysfs, { folder: packageFolder })
    const dram = fakeCounter(sysfs, { folder: dramFolder, name: 'dram' })
    const { read } = open(sysfs)
    read()
    cpu.spend(8)
    dram.spend(2)
    const result = read()
    expect(domains(result)).toEqual(['dram-0', 'package-0'])
    expect([total(result, 'cpu'), total(result, 'ram')]).toEqual([8, 2])
  })

  test('a zone that is reached by links from several folders counts once', () => {
    const sysfs = fakeSysfs()
    const root = 'devices/virtual/powercap/intel-rapl'
    const cpu = fakeCounter(sysfs, { folder: `${root}/intel-rapl:0` })
    const dram = fakeCounter(sysfs, { folder: `${root}/intel-rapl:0/intel-rapl:0:0`, name: 'dram' })
    sysfs.link(root, `${powercap}/intel-rapl`)
    sysfs.link(`${root}/intel-rapl:0`, `${powercap}/intel-rapl:0`)
    sysfs.link(`${root}/intel-rapl:0/intel-rapl:0:0`, `${powercap}/intel-rapl:0:0`)
    sysfs.link(root, `${root}/intel-rapl:0/subsystem`)
    const { read } = open(sysfs)
    read()
    cpu.spend(8)
    dram.spend(2)
    const result = read()
    expect(domains(result)).toEqual(['dram-0', 'package-0'])
    expect([total(result, 'cpu'), total(result, 'ram')]).toEqual([8, 2])
  })
})

describe('counters that show the same energy', () => {
  test.each(['class/powercap/intel-rapl-mmio:0', 'class/powercap/intel-rapl-mmio/intel-rapl-mmio:0'])(
    'a package that is also there as %s counts once, by MMIO',
    (folder) => {
      const sysfs = fakeSysfs()
      const msr = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0`, start: 52e9, range: clientRange })
      const core = fakeCounter(sysfs, {
        folder: `${powercap}/intel-rapl:0:0`,
        name: 'core',
        range: clientRange,
      })
      const mmio = fakeCounter(sysfs, { folder, start: 99e9, range: clientRange })
      const { read } = open(sysfs)
      read()
      msr.spend(10)
      mmio.spend(11)
      core.spend(6)
      const result = read()
      expect(domains(result)).toEqual(['core-0', 'package-0'])
      expect(total(result, 'cpu')).toBe(11)
      expect(expectReading(result, 'core-0')).toMatchObject({ parent: 'package-0', energy: 6 })
    },
  )

  test('where the MMIO twin cannot be read, the package is read by its MSR zone', () => {
    const sysfs = fakeSysfs()
    const msr = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0`, start: 52e9, range: clientRange })
    const mmio = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl-mmio:0`, range: clientRange })
    fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'psys', range: clientRange })
    sysfs.block(mmio.energyFile)
    const { probe, read } = open(sysfs)
    expect(codes(read())).toEqual([])
    msr.spend(5)
    expect(energyOf(read(), 'package-0')).toBe(5)
    expect(probe.isWholePlatform).toBe(false)
  })

  test('where the MMIO twin goes away, the package goes on by its MSR zone', () => {
    const sysfs = fakeSysfs()
    const msr = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0`, start: 52e9, range: clientRange })
    const mmio = fakeCounter(sysfs, {
      folder: `${powercap}/intel-rapl-mmio:0`,
      start: 50e9,
      range: clientRange,
    })
    const { read } = open(sysfs)
    read()
    mmio.spend(10)
    read()
    mmio.vanish()
    read()
    read(6)
    const before = energyOf(read(), 'package-0')
    expect(before).toBeGreaterThanOrEqual(10)
    msr.spend(5)
    expect(energyOf(read(), 'package-0') - before).toBeCloseTo(5, 6)
  })

  const twoDies = (
    starts: readonly [number, number],
  ): Bench & { dies: readonly [FakeCounter, FakeCounter] } => {
    const sysfs = fakeSysfs()
    const die = (index: 0 | 1): FakeCounter =>
      fakeCounter(sysfs, {
        folder: `${powercap}/intel-rapl:${index}`,
        name: `package-0-die-${index}`,
        start: starts[index],
      })
    const dies = [die(0), die(1)] as const
    return { ...open(sysfs), dies }
  }

  test('dies of one package that mirror each other, as on AMD, count once', () => {
    const { read, dies } = twoDies([7e9, 7e9])
    read()
    for (let tick = 1; tick <= 20; tick += 1) {
      for (const die of dies) die.spend(120)
      const result = read()
      expect(total(result, 'cpu')).toBeCloseTo(120 * tick, 6)
      expect(domains(result)).toEqual(['package-0-die-0'])
    }
  })

  test('dies with counters of their own, as on Intel, add up', () => {
    const { read, dies } = twoDies([7e9, 9e9])
    read()
    dies[0].spend(100)
    dies[1].spend(40)
    expect(total(read(), 'cpu')).toBeCloseTo(140, 6)
  })

  test('dies that start at the same energy and part at once add up', () => {
    const { read, dies } = twoDies([0, 0])
    read()
    dies[0].spend(100)
    dies[1].spend(40)
    expect(total(read(), 'cpu')).toBeCloseTo(140, 6)
    dies[0].spend(100)
    dies[1].spend(40)
    expect(total(read(), 'cpu')).toBeCloseTo(280, 6)
  })

  test('dies that part after moving together for long add up from then on, without a spike', () => {
    const { read, dies } = twoDies([0, 0])
    read()
    let before = 0
    for (let tick = 0; tick < 100; tick += 1) {
      for (const die of dies) die.spend(100)
      before = total(read(), 'cpu')
    }
    let since = 0
    for (let tick = 1; tick <= 20; tick += 1) {
      dies[0].spend(100)
      dies[1].spend(60)
      since = total(read(), 'cpu') - before
      expect(since).toBeGreaterThanOrEqual(100 * tick - 1e-6)
      expect(since).toBeLessThanOrEqual(160 * tick + 1e-6)
    }
    dies[0].spend(100)
    dies[1].spend(60)
    expect(total(read(), 'cpu') - before - since).toBeCloseTo(160, 6)
  })
})

test('a die that parts from the one it mirrored is told', () => {
  const sysfs = fakeSysfs()
  const [first, second] = [0, 1].map((index) =>
    fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:${index}`, name: `package-0-die-${index}` }),
  ) as [FakeCounter, FakeCounter]
  const { read } = open(sysfs)
  read()
  first.spend(100)
  second.spend(40)
  const { problems } = read()
  expect(problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', subject: 'package-0-die-1' }])
  expect(codes(read())).toEqual([])
})

describe('the platform counter', () => {
  const client = (
    options: RaplOptions = {},
  ): Bench & Record<'cpu' | 'core' | 'uncore' | 'psys', FakeCounter> => {
    const sysfs = fakeSysfs()
    const zone = (folder: string, name: string): FakeCounter =>
      fakeCounter(sysfs, { folder: `${powercap}/${folder}`, name, range: clientRange })
    const cpu = zone('intel-rapl:0', 'package-0')
    const core = zone('intel-rapl:0:0', 'core')
    const uncore = zone('intel-rapl:0:1', 'uncore')
    const psys = zone('intel-rapl:1', 'psys')
    return { ...open(sysfs, options), cpu, core, uncore, psys }
  }

  test('beside packages it is shown as the host and not added', () => {
    const { probe, read, cpu, core, uncore, psys } = client()
    read()
    cpu.spend(10)
    core.spend(6)
    uncore.spend(1)
    psys.spend(20)
    const result = read()
    expect(total(result, 'cpu')).toBe(10)
    expect(expectReading(result, 'psys')).toMatchObject({ component: 'host', energy: 20 })
    expect(expectReading(result, 'core-0').parent).toBe('package-0')
    expect(expectReading(result, 'uncore-0').parent).toBe('package-0')
    expect(probe.components).toEqual(['cpu'])
    expect(probe.isWholePlatform).toBe(false)
  })

  test('where it is preferred it stands for processor and memory, and packages are parts of it', () => {
    const { probe, read, cpu, core, psys } = client({ preferPsys: true })
    read()
    cpu.spend(10)
    core.spend(6)
    psys.spend(20)
    const result = read()
    expect(total(result, 'cpu')).toBe(20)
    expect(total(result, 'ram')).toBe(0)
    expect(expectReading(result, 'package-0').parent).toBe('psys')
    expect(expectReading(result, 'core-0').parent).toBe('package-0')
    expect(probe.components).toEqual(['cpu', 'ram'])
    expect(probe.isWholePlatform).toBe(true)
  })

  test('where it is preferred, memory is a part of it and not added', () => {
    const sysfs = fakeSysfs()
    const cpu = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const dram = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0:0`, name: 'dram' })
    const psys = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'psys', range: clientRange })
    const { read } = open(sysfs, { preferPsys: true })
    read()
    cpu.spend(10)
    dram.spend(4)
    psys.spend(30)
    const result = read()
    expect([total(result, 'cpu'), total(result, 'ram')]).toEqual([30, 0])
    expect(expectReading(result, 'dram-0').parent).toBe('psys')
  })

  test('where it is all there is, it stands for processor and memory', () => {
    const sysfs = fakeSysfs()
    const psys = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0`, name: 'psys', range: clientRange })
    const { probe, read } = open(sysfs)
    read()
    psys.spend(30)
    expect(total(read(), 'cpu')).toBe(30)
    expect(probe.isWholePlatform).toBe(true)
    expect(probe.components).toEqual(['cpu', 'ram'])
  })

  test('where no package can be read, it stands for them', () => {
    const sysfs = fakeSysfs()
    const cpu = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const psys = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'psys', range: clientRange })
    sysfs.block(cpu.energyFile)
    const { probe, read } = open(sysfs)
    read()
    psys.spend(30)
    const result = read()
    expect(total(result, 'cpu')).toBe(30)
    expect(probe.isWholePlatform).toBe(true)
  })

  test('where it stands for packages that cannot be read, that is told once', () => {
    const sysfs = fakeSysfs()
    const cpu = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'psys', range: clientRange })
    sysfs.block(cpu.energyFile)
    const { read } = open(sysfs)
    const { problems } = read()
    expect(problems).toMatchObject([{ subject: 'package-0' }])
    expect(problems[0]?.message).toContain('whole platform')
    expect(codes(read())).toEqual([])
  })

  test('where preferring it is asked for and there is none, packages count', () => {
    const { probe, read } = open(fakeSysfs(twoSocketXeon.sysfs), { preferPsys: true })
    expect(probe.isWholePlatform).toBe(false)
    for (const { parent } of read().readings) expect(parent).toBeUndefined()
  })

  // The kernel calls the platform counter of the first package `psys` and those of the others `psys-1`, `psys-2`
  // (rapl_init_domains in drivers/powercap/intel_rapl_common.c).
  test('where each socket has one and it is preferred, they add up and hold the packages', () => {
    const sysfs = fakeSysfs()
    const zones = ['package-0', 'package-1', 'psys', 'psys-1'].map((name, index) =>
      fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:${index}`, name, range: clientRange }),
    )
    const { read } = open(sysfs, { preferPsys: true })
    read()
    for (const [index, watts] of [100, 80, 150, 120].entries()) zones[index]?.spend(watts)
    const result = read()
    expect(total(result, 'cpu')).toBe(150 + 120)
    expect(total(result, 'host')).toBe(0)
  })

  test('a laptop with all of it has each domain once', () => {
    const { read } = open(fakeSysfs(intelClientWithPsys.sysfs))
    expect(domains(read())).toEqual(['core-0', 'package-0', 'psys', 'uncore-0'])
  })
})

describe('counters that fall', () => {
  const single = (options: {
    start: number
    range?: number | undefined
  }): Bench & { counter: FakeCounter } => {
    const sysfs = fakeSysfs()
    const counter = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0`, ...options })
    return { ...open(sysfs), counter }
  }

  test('a fall within reach of the end of the range is a wrap', () => {
    const { read, counter } = single({ start: clientRange - 5e6, range: clientRange })
    read()
    counter.set(5e6)
    const result = read()
    expect(energyOf(result, 'package-0')).toBeCloseTo(10, 6)
    expect(codes(result)).toEqual([])
  })

  test('without a range a fall is a gap, not a number', () => {
    const { read, counter } = single({ start: 7e9, range: undefined })
    read()
    counter.spend(40)
    read()
    counter.set(1e6)
    const result = read(3)
    expect(codes(result)).toEqual(['ERR_COUNTER_GAP'])
    expect(result.problems[0]).toMatchObject({ subject: 'package-0', gap: 3 })
    expect(energyOf(result, 'package-0')).toBe(40)
    counter.spend(2)
    expect(energyOf(read(), 'package-0')).toBeCloseTo(42, 9)
  })

  test('a fall too great to be a wrap is a reset: a gap, and nothing invented', () => {
    const { read, counter } = single({ start: 30e9, range: usualRange })
    read()
    counter.spend(40)
    read()
    counter.set(0)
    const result = read()
    expect(codes(result)).toEqual(['ERR_COUNTER_GAP'])
    expect(energyOf(result, 'package-0')).toBe(40)
    counter.spend(7)
    expect(energyOf(read(), 'package-0')).toBe(47)
  })

  test('after sleep a fall is a gap, even where it could be a wrap', () => {
    const { read, counter } = single({ start: usualRange - 100e6, range: usualRange })
    read()
    counter.set(3e6)
    const result = read(1, true)
    expect(codes(result)).toEqual(['ERR_COUNTER_GAP'])
    expect(energyOf(result, 'package-0')).toBe(0)
  })

  test('after sleep a counter that went on is counted on', () => {
    const { read, counter } = single({ start: 10e9, range: usualRange })
    read()
    counter.spend(12)
    const result = read(1, true)
    expect(codes(result)).toEqual([])
    expect(energyOf(result, 'package-0')).toBe(12)
  })

  test('a sleep is remembered over a read that failed', () => {
    const { read, counter } = single({ start: usualRange - 100e6, range: usualRange })
    read()
    counter.fail()
    read(1, true)
    counter.set(3e6)
    counter.repair()
    const result = read()
    expect(codes(result)).toEqual(['ERR_COUNTER_GAP'])
    expect(energyOf(result, 'package-0')).toBe(0)
  })

  test('where it may have wrapped several times, the number is a guess with an interval that says so', () => {
    const { read, counter } = single({ start: 1e9, range: usualRange })
    read()
    for (let tick = 0; tick < 10; tick += 1) {
      counter.spend(280)
      read()
    }
    counter.spend(280 * 600)
    const result = read(600)
    expect(codes(result)).toEqual(['ERR_COUNTER_GAP'])
    const { energy, low, high } = expectReading(result, 'package-0')
    const range = usualRange / 1e6
    expect(energy).toBeCloseTo(280 * 610, 3)
    expect(low).toBeCloseTo(2800 + ((280 * 600) % range), 3)
    expect(high).toBeGreaterThan(energy)
    const moreWraps = (high - energy) / range
    expect(moreWraps).toBeCloseTo(Math.round(moreWraps), 6)
    expect(high - 2800).toBeLessThanOrEqual(1000 * 600)
  })
})

describe('zones that fail, come and go', () => {
  const twoSockets = (): Bench & { sysfs: FakeTree; first: FakeCounter; second: FakeCounter } => {
    const sysfs = fakeSysfs()
    const first = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const second = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'package-1' })
    return { ...open(sysfs), sysfs, first, second }
  }

  test.each(['', '\n', 'garbage\n', '-5\n', '12 34\n', '1.5\n', '0x10\n'])(
    'content that is no number (%j) is a failed read',
    (text) => {
      const { read, sysfs, first, second } = twoSockets()
      read()
      sysfs.write(first.energyFile, text)
      second.spend(3)
      const result = read()
      expect(result.problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: 'package-0', gap: 1 }])
      expect(domains(result)).toEqual(['package-1'])
      expect(energyOf(result, 'package-1')).toBe(3)
    },
  )

  test('a value beyond the range of its counter is a failed read', () => {
    const { read, sysfs, first } = twoSockets()
    read()
    first.spend(5)
    read()
    sysfs.write(first.energyFile, `${usualRange + 1}\n`)
    const result = read()
    expect(codes(result)).toEqual(['ERR_PROBE_READ'])
    expect(domains(result)).toEqual(['package-1'])
    first.spend(5)
    expect(energyOf(read(), 'package-0')).toBe(10)
  })

  test('a package that never moves is no measurement of zero', () => {
    const { read, first } = twoSockets()
    read()
    for (let tick = 1; tick < 7; tick += 1) {
      first.spend(30)
      expect(domains(read())).toContain('package-1')
    }
    first.spend(30)
    const { problems, ...rest } = read()
    expect(problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: 'package-1' }])
    expect(problems[0]?.message).toContain('stood still for 7 s')
    expect(domains({ problems, ...rest })).toEqual(['package-0'])
  })

  test('a package that stood still and moves again has lost nothing', () => {
    const { read, first, second } = twoSockets()
    read()
    second.spend(10)
    for (let tick = 0; tick < 15; tick += 1) {
      first.spend(30)
      read()
    }
    expect(domains(read())).not.toContain('package-1')
    second.spend(70)
    expect(energyOf(read(), 'package-1')).toBe(80)
  })

  test('cores that stand still are asleep', () => {
    const sysfs = fakeSysfs()
    const cpu = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0:1`, name: 'uncore' })
    const { read } = open(sysfs)
    for (let tick = 0; tick < 30; tick += 1) {
      cpu.spend(10)
      expect(domains(read())).toContain('uncore-0')
    }
  })

  test('a zone that vanishes is a problem, and the others go on', () => {
    const { read, first, second } = twoSockets()
    read()
    first.spend(10)
    second.spend(20)
    read()
    first.vanish()
    for (let tick = 1; tick <= 10; tick += 1) {
      second.spend(20)
      const result = read()
      expect(result.problems).toMatchObject([{ code: 'ERR_PROBE_GONE', subject: 'package-0', gap: 1 }])
      expect(domains(result)).toEqual(['package-1'])
      expect(energyOf(result, 'package-1')).toBe(20 + 20 * tick)
    }
  })

  test('a zone that comes back goes on from where it was', () => {
    const { read, first } = twoSockets()
    read()
    first.spend(10)
    read()
    first.vanish()
    read()
    first.appear()
    const back = energyOf(read(6), 'package-0')
    expect(back).toBe(10)
    first.spend(2)
    expect(energyOf(read(), 'package-0')).toBe(12)
  })

  test('a zone that comes back with its counter reset goes on from where it was, with a gap', () => {
    const { read, first } = twoSockets()
    read()
    first.spend(10)
    read()
    first.vanish()
    read()
    first.set(1e6)
    first.appear()
    const result = read(6)
    expect(codes(result)).toEqual(['ERR_COUNTER_GAP'])
    expect(energyOf(result, 'package-0')).toBe(10)
  })

  test('a zone that appears later starts at zero', () => {
    const { read, sysfs, first } = twoSockets()
    read()
    first.spend(10)
    read()
    const third = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:2`, name: 'package-2', start: 40e9 })
    const result = read(6)
    expect(energyOf(result, 'package-2')).toBe(0)
    third.spend(9)
    expect(energyOf(read(), 'package-2')).toBe(9)
  })

  test('a memory counter that appears later is left alone, for its estimate already counts', () => {
    const { read, sysfs } = twoSockets()
    read()
    fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0:0`, name: 'dram' })
    expect(domains(read(6))).toEqual(['package-0', 'package-1'])
  })

  test('a counter file that is replaced by another is followed', () => {
    const { read, sysfs, first } = twoSockets()
    read()
    first.spend(10)
    read()
    let counted = 10
    for (let tick = 0; tick < 5; tick += 1) {
      counted += 5
      sysfs.replace(first.energyFile, `${counted * 1e6}\n`)
      const result = read()
      expect(energyOf(result, 'package-0')).toBe(counted)
      expect(codes(result)).toEqual([])
    }
  })

  test('one package of two that cannot be read from the start is unmeasured, and said to be', () => {
    const sysfs = fakeSysfs()
    const first = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const second = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'package-1' })
    sysfs.block(second.energyFile)
    const { read } = open(sysfs)
    const start = read()
    expect(start.problems).toMatchObject([{ code: 'ERR_UNMEASURED', subject: 'package-1' }])
    first.spend(10)
    const result = read()
    expect(domains(result)).toEqual(['package-0'])
    expect(total(result, 'cpu')).toBe(10)
  })

  test('a package that can be read only later is measured from then on', () => {
    const sysfs = fakeSysfs()
    fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const second = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:1`, name: 'package-1', start: 8e9 })
    sysfs.block(second.energyFile)
    const { read } = open(sysfs)
    read()
    sysfs.remove(second.energyFile)
    second.repair()
    expect(energyOf(read(6), 'package-1')).toBe(0)
    second.spend(4)
    expect(energyOf(read(), 'package-1')).toBe(4)
  })
})

describe('where rapl cannot be used', () => {
  test.each([
    ['an empty sysfs', {}],
    ['a virtual machine', virtualMachine.sysfs],
  ])('%s has no counters, and the refusal says what would help', (_, files) => {
    const sysfs = fakeSysfs(files)
    const error = refusal(sysfs)
    expect(error.code).toBe('ERR_PROBE_UNAVAILABLE')
    expect(error.message).toContain(`${sysfs.path}/${powercap}`)
    expect(error.remedy).toContain('modprobe intel_rapl_msr')
  })

  test('a sysfs that is not there is refused in the same way', () => {
    const sysfs = fakeSysfs()
    sysfs.remove('.')
    expect(refusal(sysfs).remedy).toContain('modprobe')
  })

  test('where every counter fails, the refusal names the reason', () => {
    const sysfs = fakeSysfs(amdZenDesktop.sysfs)
    for (const zone of ['intel-rapl:0', 'intel-rapl:0:0']) sysfs.block(`${powercap}/${zone}/energy_uj`)
    expect(refusal(sysfs).message).toMatch(/cannot be read: EISDIR/)
  })

  test('counters for root alone are refused with the command that opens them', () => {
    const sysfs = fakeSysfs(rootOnlyDesktop.sysfs)
    for (const file of rootOnlyDesktop.rootOnly) sysfs.chmod(file, 0o000)
    const error = asNobody(() => refusal(sysfs))
    expect(error.message).toMatch(/root only/)
    expect(error.remedy).toContain('sudo chgrp')
    expect(error.remedy).toContain(`${sysfs.path}/devices/virtual/powercap`)
    for (const way of ['udev', 'cap_dac_read_search', 'AmbientCapabilities'])
      expect(error.remedy).toContain(way)
  })

  test('in a container the remedy is to show it the counters of the host', () => {
    const sysfs = fakeSysfs(rootOnlyDesktop.sysfs)
    for (const file of rootOnlyDesktop.rootOnly) sysfs.chmod(file, 0o000)
    expect(asNobody(() => refusal(sysfs, true)).remedy).toContain('-v /sys:/host/sys:ro')
    expect(refusal(fakeSysfs(), true).remedy).toContain('CODECARBON_SYSFS_PATH=/host/sys')
  })

  test('a counter that may no longer be read after it was opened goes on by its open file', () => {
    const sysfs = fakeSysfs()
    const counter = fakeCounter(sysfs, { folder: `${powercap}/intel-rapl:0` })
    const { read } = open(sysfs)
    read()
    sysfs.chmod(counter.energyFile, 0o000)
    counter.spend(6)
    expect(asNobody(() => energyOf(read(), 'package-0'))).toBe(6)
  })
})

describe('the limit of a package', () => {
  const zone = `${powercap}/intel-rapl:0`
  const limitOf = (files: Readonly<Record<string, string>>): number | undefined => {
    const sysfs = fakeSysfs()
    fakeCounter(sysfs, { folder: zone })
    for (const [name, text] of Object.entries(files)) sysfs.write(`${zone}/${name}`, text)
    return expectReading(open(sysfs).read(), 'package-0').powerLimit
  }

  test('is its TDP, or what it is set to where that is not told', () => {
    const [max, set] = ['constraint_0_max_power_uw', 'constraint_0_power_limit_uw']
    expect(limitOf({ [max]: '125000000\n', [set]: '95000000\n' })).toBe(125)
    expect(limitOf({ [max]: '0\n', [set]: '95000000\n' })).toBe(95)
    expect(limitOf({ [set]: '95000000\n' })).toBe(95)
  })

  test('is not known where there is none, or no number', () => {
    expect(limitOf({})).toBeUndefined()
    expect(
      limitOf({ constraint_0_max_power_uw: 'N/A\n', constraint_0_power_limit_uw: '-1\n' }),
    ).toBeUndefined()
  })
})
