import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Load, LoadSource, TreeSource, TreeUse } from '../../src/core/load.ts'
import { createMeter, type Meter, type MeterOptions } from '../../src/core/meter.ts'
import type { Probe, ProbeResult, ReadContext } from '../../src/core/probe.ts'
import type { Problem } from '../../src/core/problem.ts'
import type { Reading } from '../../src/core/reading.ts'
import type { Snapshot } from '../../src/core/snapshot.ts'
import { joules, seconds } from '../../src/core/units.ts'
import { measuredShare, totalEnergy, usageBetween } from '../../src/core/usage.ts'
import { fakeClock, type FakeClock, type FakeClockOptions } from '../fixtures/fake-clock.ts'

const start = 1000

const reading = (energy: number, more: Partial<Reading> = {}): Reading => ({
  domain: 'package-0',
  kind: 'package',
  component: 'cpu',
  method: 'measured',
  probe: 'fake',
  energy: joules(energy),
  low: joules(energy),
  high: joules(energy),
  ...more,
})

/** A probe out of a function. */
const probeOf = (read: (context: ReadContext) => ProbeResult, more: Partial<Probe> = {}): Probe => ({
  name: 'fake',
  read,
  ...more,
})

/** A probe of parts that each draw a steady power. */
const steady = (watts: number, more: Partial<Reading> = {}): Probe =>
  probeOf(({ at }) => ({ readings: [reading(watts * (at - start), more)], problems: [] }))

interface Bench {
  readonly clock: FakeClock
  readonly meter: Meter
  readonly snapshots: Snapshot[]
  readonly measurements: Snapshot[]
  readonly problems: Problem[]
}

function open(options: Partial<MeterOptions> = {}, clockOptions: FakeClockOptions = {}): Bench {
  const clock = fakeClock({ start, ...clockOptions })
  const snapshots: Snapshot[] = []
  const measurements: Snapshot[] = []
  const problems: Problem[] = []
  const meter = createMeter({
    probes: [],
    clock,
    interval: seconds(1),
    gramsPerKwh: () => 0,
    onSnapshot: (snapshot) => snapshots.push(snapshot),
    onMeasurement: (snapshot) => measurements.push(snapshot),
    onProblem: (problem) => problems.push(problem),
    ...options,
  })
  return { clock, meter, snapshots, measurements, problems }
}

const times = (list: readonly Snapshot[]): readonly number[] => list.map(({ at }) => at.monotonic - start)
const energy = ({ machine }: Snapshot): number => totalEnergy(machine).value

describe('the pace of a meter', () => {
  test('it reads at once, and then at every interval', () => {
    const { clock, snapshots, measurements } = open({ interval: seconds(15) })
    clock.advance(46)
    expect(times(snapshots)).toEqual([0, 15, 30, 45])
    expect(times(measurements)).toEqual([15, 30, 45])
  })

  test('ticks that each come late do not add up to a drift', () => {
    const { clock, snapshots } = open({ interval: seconds(1) }, { late: 0.007 })
    clock.advance(1000.5)
    const ticks = times(snapshots).slice(1)
    expect(ticks).toHaveLength(1000)
    for (const [index, at] of ticks.entries()) expect(at).toBeCloseTo(index + 1 + 0.007, 6)
  })

  test('ticks that come a little early are not doubled', () => {
    const { clock, snapshots, measurements } = open({ interval: seconds(1) }, { late: -0.001 })
    clock.advance(10.5)
    expect(times(snapshots)).toHaveLength(11)
    expect(times(measurements)).toHaveLength(10)
  })

  test('ticks that a blocked event loop missed are skipped, and the pace is kept afterwards', () => {
    const { clock, snapshots } = open({ interval: seconds(1) })
    clock.advance(2.2)
    clock.block(4.5)
    clock.advance(2)
    expect(times(snapshots).map((at) => Math.round(at * 10) / 10)).toEqual([0, 1, 2, 6.7, 7, 8])
  })

  test('a blocked event loop costs no energy', () => {
    const { clock, meter } = open({ probes: [steady(80)] })
    clock.advance(2.2)
    clock.block(60)
    expect(energy(meter.read())).toBeCloseTo(80 * 62.2, 6)
  })

  test('an interval of a hundredth of a second is kept too', () => {
    const { clock, measurements } = open({ interval: seconds(0.01) })
    clock.advance(1.005)
    expect(measurements).toHaveLength(100)
  })

  test('a probe that needs to be read more often is, without more measurements', () => {
    const model = probeOf(() => ({ readings: [], problems: [] }), { maxInterval: seconds(1) })
    const { clock, snapshots, measurements } = open({ probes: [model], interval: seconds(15) })
    clock.advance(45.5)
    expect(snapshots).toHaveLength(46)
    expect(times(measurements)).toEqual([15, 30, 45])
  })

  test('closing stops the pace, releases everything once, and can be done again', () => {
    let closed = 0
    const close = (): void => {
      closed += 1
    }
    const load: LoadSource = { read: () => ({}), close }
    const probes = [probeOf(() => ({ readings: [], problems: [] }), { close })]
    const { clock, meter, snapshots } = open({ probes, load })
    clock.advance(1.5)
    meter.close()
    meter.close()
    expect(closed).toBe(2)
    expect(clock.waiting).toBe(0)
    clock.advance(100)
    expect(snapshots).toHaveLength(2)
  })

  test('one timer waits at a time, however often it is read in between', () => {
    const { clock, meter } = open()
    for (let count = 0; count < 10; count += 1) {
      clock.advance(0.3)
      meter.read()
      expect(clock.waiting).toBe(1)
    }
  })
})

describe('what a meter counts', () => {
  test('energy and time begin at the first reading', () => {
    const { snapshots } = open({ probes: [steady(80)] })
    expect(snapshots[0]?.machine.time).toBe(0)
    expect(energy(snapshots[0] as Snapshot)).toBe(0)
  })

  test('reading on demand between ticks loses nothing and doubles nothing', () => {
    const { clock, meter } = open({ probes: [steady(80)] })
    let last = 0
    for (const step of [0.05, 0.001, 0, 2.3, 0.7, 1e-6, 5]) {
      clock.advance(step)
      const now = energy(meter.read())
      expect(now - last).toBeCloseTo(80 * step, 6)
      last = now
    }
  })

  test('components add up from domains without a parent alone', () => {
    const { clock, meter } = open({
      probes: [
        steady(50),
        steady(30, { domain: 'core-0', kind: 'core', parent: 'package-0' }),
        steady(20, { domain: 'package-1' }),
        steady(8, { domain: 'dram-0', kind: 'dram', component: 'ram' }),
        steady(150, { domain: 'psys', kind: 'psys', component: 'host' }),
      ],
    })
    clock.advance(10)
    const { machine, readings } = meter.read()
    expect(machine.energy.cpu?.value).toBeCloseTo(700, 6)
    expect(machine.energy.ram?.value).toBeCloseTo(80, 6)
    expect(machine.energy.gpu).toBeUndefined()
    expect(totalEnergy(machine).value).toBeCloseTo(780, 6)
    expect(readings.map(({ domain }) => domain)).toContain('psys')
  })

  test('a component that used nothing yet is zero, and one that nobody tells is absent', () => {
    const { snapshots } = open({ probes: [steady(50)] })
    expect(snapshots[0]?.machine.energy).toMatchObject({ cpu: { value: 0 } })
    expect(snapshots[0]?.machine.energy).not.toHaveProperty('ram')
  })

  test('a component of which nothing came before it fell silent is absent, not zero', () => {
    const silent = probeOf(({ at }) => ({ readings: at < start + 3 ? [reading(0)] : [], problems: [] }))
    const { clock, meter, snapshots } = open({ probes: [silent] })
    clock.advance(2.5)
    expect(snapshots.at(-1)?.machine.energy).toHaveProperty('cpu')
    clock.advance(2)
    expect(meter.read().machine.energy).toEqual({})
  })

  test('energy of a component that was first told after the beginning is counted and told of', () => {
    const late = probeOf(({ at }) => ({ readings: at > start ? [reading(50)] : [], problems: [] }))
    const { clock, meter } = open({ probes: [late] })
    const before = meter.first.machine
    clock.advance(2)
    expect(usageBetween(before, meter.read().machine).energy.cpu).toMatchObject({ value: 50, told: 2 })
  })

  test('how each joule was obtained is kept', () => {
    const { clock, meter } = open({
      probes: [
        steady(60),
        steady(15, { domain: 'ram', kind: 'ram', component: 'ram', method: 'estimated' }),
        steady(25, { domain: 'gpu-0', kind: 'gpu', component: 'gpu', method: 'integrated' }),
      ],
    })
    clock.advance(4)
    const { machine } = meter.read()
    expect(machine.energy.cpu?.methods).toEqual({ measured: 240, integrated: 0, estimated: 0 })
    expect(machine.energy.gpu?.methods.integrated).toBeCloseTo(100, 9)
    expect(measuredShare(machine)).toBeCloseTo(0.6, 9)
  })

  test('intervals of estimates are carried along', () => {
    const model = probeOf(({ at }) => {
      const time = at - start
      const ends = { low: joules(20 * time), high: joules(70 * time) }
      return { readings: [reading(40 * time, { method: 'estimated', ...ends })], problems: [] }
    })
    const { clock, meter } = open({ probes: [model], gramsPerKwh: () => 300 })
    clock.advance(3)
    const { machine } = meter.read()
    expect(totalEnergy(machine)).toEqual({ value: 120, low: 60, high: 210 })
    const { value, low, high } = machine.emissions
    expect(low / value).toBeCloseTo(60 / 120, 9)
    expect(high / value).toBeCloseTo(210 / 120, 9)
  })

  test('grams are made with the intensity of each interval', () => {
    // 100 W through three hours at 0.1, 0.3 and 0.6 kg/kWh.
    const intensities = [100, 300, 600]
    let hour = 0
    const { clock, meter } = open({
      probes: [steady(100)],
      interval: seconds(3600),
      gramsPerKwh: () => intensities[hour] ?? 0,
    })
    for (hour = 0; hour < 3; hour += 1) clock.advance(3600)
    hour = 2
    const { machine } = meter.read()
    expect(machine.emissions.value).toBeCloseTo(
      intensities.reduce((sum, perKwh) => sum + 0.1 * perKwh, 0),
      9,
    )
  })

  test('looking at a snapshot later shows what it showed at first', () => {
    const { clock, snapshots } = open({ probes: [steady(80)] })
    clock.advance(1)
    const copy = structuredClone(snapshots[1])
    clock.advance(20)
    expect(snapshots[1]).toEqual(copy)
  })
})

describe('what a meter costs', () => {
  /** A meter of so many watts each of whose readings takes two milliseconds. */
  const slow = (watts: number, more: Partial<Reading> = {}, logicalCpus?: number): Bench => {
    const clock: FakeClock = fakeClock({ start })
    const probe = probeOf(({ at }) => {
      clock.block(0.002)
      return { readings: [reading(watts * (at - start), more)], problems: [] }
    })
    return open({ probes: [probe], clock, logicalCpus })
  }

  test('is the time of each reading, and the sum of them', () => {
    const { meter, snapshots } = slow(100)
    meter.read()
    meter.read()
    expect(snapshots.map(({ took }) => took)).toEqual(
      [0.002, 0.002, 0.002].map((time) => expect.closeTo(time, 9)),
    )
    expect(snapshots.at(-1)?.selfTime).toBeCloseTo(0.006, 9)
  })

  test("is its share of the processors' energy by CPU time", () => {
    const { clock, meter } = slow(100, {}, 4)
    clock.block(0.098)
    expect(meter.read().selfEnergy).toBeCloseTo((100 * 0.1 * 0.002) / (0.1 * 4), 9)
    clock.block(0.998)
    expect(meter.read().selfEnergy).toBeCloseTo((100 * 0.002 + 100 * 0.002) / 4, 9)
  })

  test('is no energy where nobody tells that of the processors', () => {
    const { clock, meter } = slow(100, { component: 'ram' })
    clock.block(1)
    expect(meter.read().selfEnergy).toBeUndefined()
  })
})

describe('what goes wrong beside a meter', () => {
  test('a probe that throws is a problem, and the others go on', () => {
    const broken = probeOf(
      () => {
        throw new Error('the bus is gone')
      },
      { name: 'broken' },
    )
    const { clock, meter, problems } = open({ probes: [broken, steady(10)] })
    clock.advance(3)
    const snapshot = meter.read()
    expect(energy(snapshot)).toBeCloseTo(30, 6)
    expect(problems).toEqual([{ code: 'ERR_PROBE_READ', subject: 'broken', message: 'the bus is gone' }])
    expect(snapshot.problems).toMatchObject([{ subject: 'broken', count: 5 }])
  })

  test('a problem that repeats is told once, counted, and its gaps added', () => {
    const failing = probeOf(() => ({
      readings: [],
      problems: [{ code: 'ERR_PROBE_READ', subject: 'package-0', message: 'no', gap: seconds(0.5) }],
    }))
    const { clock, meter, problems } = open({ probes: [failing] })
    clock.advance(3)
    expect(problems).toHaveLength(1)
    expect(meter.read().problems).toMatchObject([{ subject: 'package-0', count: 5, gap: 2.5 }])
  })

  test('a problem from outside stands beside the figures too', () => {
    const { meter, problems } = open()
    meter.report({ code: 'ERR_UNMEASURED', subject: 'gpu', message: 'a GPU that nobody measures' })
    expect(problems).toHaveLength(1)
    expect(meter.read().problems).toMatchObject([
      { code: 'ERR_UNMEASURED', subject: 'gpu', count: 1, gap: 0 },
    ])
  })

  test('a domain that is absent for two ticks catches up with the third', () => {
    const flaky = probeOf(({ at }) => {
      const time = at - start
      const isAway = time > 1.5 && time < 3.5
      return { readings: isAway ? [] : [reading(100 * time)], problems: [] }
    })
    const { clock, meter, snapshots } = open({ probes: [flaky] })
    clock.advance(5)
    expect(snapshots.map(energy)).toEqual([0, 100, 100, 100, 400, 500])
    expect(snapshots[2]?.readings).toEqual([])
    expect(meter.domains()).toMatchObject([{ domain: 'package-0', energy: 500 }])
  })

  test('a domain that vanishes keeps what it had', () => {
    const vanishing = probeOf(({ at }) => ({
      readings: at - start > 2.5 ? [] : [reading(100 * (at - start))],
      problems: [],
    }))
    const { clock, meter } = open({ probes: [vanishing, steady(10, { domain: 'package-1' })] })
    clock.advance(10)
    expect(energy(meter.read())).toBeCloseTo(200 + 100, 6)
    expect(meter.domains().map(({ domain }) => domain)).toEqual(['package-0', 'package-1'])
  })

  test('a reading that falls, which no probe should give, takes nothing away', () => {
    const values = [0, 100, 40, 60]
    let index = 0
    const falling = probeOf(() => ({ readings: [reading(values[index++] ?? 60)], problems: [] }))
    const { clock, meter } = open({ probes: [falling] })
    clock.advance(2)
    expect(energy(meter.read())).toBeGreaterThanOrEqual(100)
  })

  test('a sleep of the machine is noticed, said, and handed to the probes once', () => {
    const resumed: boolean[] = []
    const watching = probeOf((context) => {
      resumed.push(context.resumed)
      return { readings: [], problems: [] }
    })
    const { clock, meter, problems } = open({ probes: [watching] })
    clock.advance(1.5)
    clock.sleep(3600)
    clock.advance(2)
    expect(resumed).toEqual([false, false, true, false])
    expect(problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', subject: 'machine' }])
    expect(problems[0]?.gap).toBeCloseTo(3600, 3)
    expect(meter.read().machine.time).toBeCloseTo(3.5, 6)
  })

  test('a clock that is set by a few seconds, or back, is no sleep', () => {
    const { clock, problems } = open({ probes: [steady(10)] })
    clock.sleep(3)
    clock.advance(2)
    clock.sleep(-7200)
    clock.advance(2)
    expect(problems).toEqual([])
  })
})

test('a sampled power that was away for a while tells nothing of that time: its mean is over what it saw', () => {
  let isAway = false
  let spent = 0
  const sampled = probeOf(() => {
    spent += isAway ? 0 : 10
    return { readings: isAway ? [] : [reading(spent, { method: 'integrated' })], problems: [] }
  })
  const { clock, meter } = open({ probes: [sampled] })
  for (let second = 0; second < 4; second += 1) clock.advance(1)
  isAway = true
  for (let second = 0; second < 4; second += 1) clock.advance(1)
  isAway = false
  for (let second = 0; second < 2; second += 1) clock.advance(1)
  const { energy: used, time } = meter.read().machine
  expect(time).toBeCloseTo(10, 6)
  expect(used.cpu?.told).toBeCloseTo(6, 6)
})

describe('the share of a process tree', () => {
  const logicalCpus = 8
  const memory: Load = { memoryTotalBytes: 100 }

  interface TreeBench extends Bench {
    /** The tree keeps so many CPUs busy and holds so much memory. */
    use(cpus: number, residentBytes?: number): void
    /** The system says nothing of the tree until told otherwise. */
    hide(isHidden: boolean): void
    pass(time: number): Snapshot
  }

  function tracked(options: Partial<MeterOptions> = {}): TreeBench {
    const state = { cpu: 40, cpus: 0, residentBytes: 0, isHidden: false }
    const tree: TreeSource = {
      read: (): TreeUse | undefined =>
        state.isHidden ? undefined : { cpu: seconds(state.cpu), residentBytes: state.residentBytes },
    }
    const load: LoadSource = { read: () => memory }
    const bench = open({
      probes: [steady(80), steady(10, { domain: 'dram-0', kind: 'dram', component: 'ram' })],
      interval: seconds(3600),
      tree,
      load,
      logicalCpus,
      ...options,
    })
    return {
      ...bench,
      use(cpus, residentBytes = 0) {
        state.cpus = cpus
        state.residentBytes = residentBytes
      },
      hide(isHidden) {
        state.isHidden = isHidden
      },
      pass(time) {
        state.cpu += state.cpus * time
        bench.clock.advance(time)
        return bench.meter.read()
      },
    }
  }
  const treeEnergy = (snapshot: Snapshot, component: 'cpu' | 'ram'): number =>
    snapshot.tree?.energy[component]?.value ?? 0

  test('without a tree there is none', () => {
    const { meter } = open({ probes: [steady(80)] })
    expect(meter.read()).not.toHaveProperty('tree')
  })

  test('a tree that never did anything that the system could see is unmeasured, not zero', () => {
    const { pass } = tracked()
    const snapshot = pass(10)
    expect(snapshot.tree?.energy.cpu).toBeUndefined()
    expect(snapshot.machine.energy.cpu?.value).toBeCloseTo(800, 6)
  })

  test('processor energy goes by the share of the CPU time there was, memory by the share of memory', () => {
    const { use, pass } = tracked()
    use(2, 25)
    const first = pass(10)
    expect(treeEnergy(first, 'cpu')).toBeCloseTo((2 / 8) * 800, 6)
    // Of ten seconds of the machine it has those of two of eight CPUs.
    expect(first.machine.machineTime).toBeCloseTo(10, 9)
    expect(first.tree?.machineTime).toBeCloseTo((2 / 8) * 10, 9)
    expect(treeEnergy(first, 'ram')).toBeCloseTo((25 / 100) * 100, 6)
    use(8, 50)
    const second = pass(5)
    const step = usageBetween(first.tree ?? first.machine, second.tree ?? second.machine)
    expect(step.energy.cpu?.value).toBeCloseTo(400, 6)
    expect(step.energy.ram?.value).toBeCloseTo(25, 6)
  })

  test('a tree that takes the whole machine is given what the machine used, and no more', () => {
    const { use, pass } = tracked()
    use(9, 120)
    const snapshot = pass(10)
    expect(treeEnergy(snapshot, 'cpu')).toBeCloseTo(800, 6)
    expect(treeEnergy(snapshot, 'ram')).toBeCloseTo(100, 6)
  })

  test('energy of a time in which the system said nothing is shared out later', () => {
    const { use, hide, pass } = tracked()
    use(4, 25)
    hide(true)
    expect(treeEnergy(pass(3), 'cpu')).toBe(0)
    expect(treeEnergy(pass(3), 'cpu')).toBe(0)
    hide(false)
    const snapshot = pass(4)
    expect(treeEnergy(snapshot, 'cpu')).toBeCloseTo((4 / 8) * 800, 6)
    expect(treeEnergy(snapshot, 'ram')).toBeCloseTo(25, 6)
    expect(snapshot.tree?.time).toBeCloseTo(10, 6)
  })

  test('energy that is shared out later keeps the intensity of the time in which it was used', () => {
    let gramsPerKwh = 100
    const { use, hide, pass } = tracked({ gramsPerKwh: () => gramsPerKwh, probes: [steady(80)] })
    use(8)
    hide(true)
    pass(3600)
    gramsPerKwh = 600
    hide(false)
    const snapshot = pass(3600)
    expect(snapshot.tree?.emissions.value).toBeCloseTo(0.08 * 100 + 0.08 * 600, 9)
    expect(snapshot.tree?.emissions.value).toBeCloseTo(snapshot.machine.emissions.value, 9)
  })

  test('energy of graphics processors is not given to a tree that nobody says it belongs to', () => {
    const { use, pass } = tracked({
      probes: [steady(200, { domain: 'gpu-0', kind: 'gpu', component: 'gpu' })],
    })
    use(8, 100)
    expect(pass(10).tree?.energy.gpu).toBeUndefined()
  })

  test('the method and the interval of shared energy are those of the machine', () => {
    const model = probeOf(({ at }) => {
      const time = at - start
      const ends = { low: joules(20 * time), high: joules(70 * time) }
      return { readings: [reading(40 * time, { method: 'estimated', ...ends })], problems: [] }
    })
    const { use, pass } = tracked({ probes: [model] })
    use(2)
    const cpu = pass(10).tree?.energy.cpu
    expect(cpu).toMatchObject({ value: 100, low: 50, high: 175 })
    expect(cpu?.methods).toEqual({ measured: 0, integrated: 0, estimated: 100 })
  })

  /** Memory by a model: 2 W at idle, and as many more as there are CPUs busy. */
  const modelled = (busySeconds: () => number): Probe =>
    probeOf(({ at }) => {
      const idle = 2 * (at - start)
      const energy = idle + busySeconds()
      const ends = { low: joules(0.5 * energy), high: joules(1.5 * energy), dynamic: joules(busySeconds()) }
      const kind = { domain: 'ram', kind: 'ram', component: 'ram', method: 'estimated' } as const
      return { readings: [reading(energy, { ...kind, ...ends })], problems: [] }
    })

  /** A machine on which so many CPUs are busy with other work, whose memory is modelled. */
  function loaded(others: number, isLoadTold = true): TreeBench {
    let cpus = 0
    let busy = 0
    const bench = tracked({
      probes: [modelled(() => busy)],
      load: { read: () => ({ ...memory, ...(isLoadTold ? { cpuBusy: seconds(busy) } : {}) }) },
    })
    return {
      ...bench,
      use(own, residentBytes) {
        cpus = own
        bench.use(own, residentBytes)
      },
      pass(time) {
        busy += (cpus + others) * time
        return bench.pass(time)
      },
    }
  }

  test('of modelled memory, what is there at idle goes by memory, what load adds by the busy CPU time', () => {
    const { use, pass } = loaded(1)
    use(3, 20)
    const snapshot = pass(10)
    expect(snapshot.machine.energy.ram?.value).toBeCloseTo(20 + 40, 6)
    expect(treeEnergy(snapshot, 'ram')).toBeCloseTo(0.2 * 20 + 0.75 * 40, 6)
    const share = (0.2 * 20 + 0.75 * 40) / 60
    expect(snapshot.tree?.energy.ram?.low).toBeCloseTo(share * 30, 6)
    expect(snapshot.tree?.energy.ram?.high).toBeCloseTo(share * 90, 6)
  })

  test('of modelled memory, a tree that is alone on the machine gets all that load adds', () => {
    const { use, pass } = loaded(0)
    use(2, 50)
    expect(treeEnergy(pass(10), 'ram')).toBeCloseTo(0.5 * 20 + 20, 6)
  })

  test('of modelled memory, a tree that waits gets none of what others add', () => {
    const { use, pass } = loaded(8)
    use(0, 50)
    expect(treeEnergy(pass(10), 'ram')).toBeCloseTo(0.5 * 20, 6)
  })

  test('modelled memory goes by memory alone where nobody tells how busy the machine is', () => {
    const { use, pass } = loaded(1, false)
    use(3, 20)
    expect(treeEnergy(pass(10), 'ram')).toBeCloseTo(0.2 * 60, 6)
  })

  test('modelled memory of a time in which the system said nothing is shared out later, by the load of that time', () => {
    const { use, hide, pass } = loaded(1)
    use(3, 20)
    hide(true)
    pass(5)
    hide(false)
    expect(treeEnergy(pass(5), 'ram')).toBeCloseTo(0.2 * 20 + 0.75 * 40, 6)
  })

  interface Moment {
    readonly time: number
    /** CPUs that each of two trees keeps busy, and memory that it holds. */
    readonly cpus: readonly [number, number]
    readonly resident: readonly [number, number]
  }

  /** What one of two trees, which are all there is on the machine, is given of its modelled memory. */
  function shareOf(tree: 0 | 1, moments: readonly Moment[]): Snapshot {
    let [cpu, busy, residentBytes] = [0, 0, 0]
    const { clock, meter } = open({
      probes: [modelled(() => busy)],
      interval: seconds(3600),
      logicalCpus,
      load: { read: () => ({ ...memory, cpuBusy: seconds(busy) }) },
      tree: { read: () => ({ cpu: seconds(cpu), residentBytes }) },
    })
    for (const { time, cpus, resident } of moments) {
      cpu += time * cpus[tree]
      busy += time * (cpus[0] + cpus[1])
      residentBytes = resident[tree]
      clock.advance(time)
      meter.read()
    }
    return meter.read()
  }

  test('whatever trees do, no more of modelled memory is given out than there is, and each lies in its interval', () => {
    const two = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<[T, T]> => fc.tuple(one, one)
    const moment = fc.record({
      time: fc.double({ min: 0.001, max: 3, noNaN: true }),
      cpus: two(fc.double({ min: 0, max: 4, noNaN: true })),
      resident: two(fc.integer({ min: 0, max: 50 })),
    })
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 30 }), (moments) => {
        const [one, other] = [shareOf(0, moments), shareOf(1, moments)]
        const [a, b] = [one.tree?.energy.ram, other.tree?.energy.ram]
        for (const end of ['value', 'low', 'high'] as const) {
          const given = (a?.[end] ?? 0) + (b?.[end] ?? 0)
          expect(given).toBeLessThanOrEqual((one.machine.energy.ram?.[end] ?? 0) * (1 + 1e-9))
        }
        for (const { value, low, high } of [a, b].filter((share) => share !== undefined)) {
          expect(low).toBeLessThanOrEqual(value)
          expect(high).toBeGreaterThanOrEqual(value)
        }
      }),
    )
  })

  test('two reads at one moment share nothing out twice', () => {
    const { use, pass, meter } = tracked()
    use(4)
    const snapshot = pass(10)
    expect(meter.read().tree).toEqual(snapshot.tree)
  })

  test('CPU times that step by 10 ms lose nothing where the meter is read every millisecond', () => {
    // One CPU, kept busy by the tree all the time: all of the energy is the tree's.
    const clock = fakeClock({ start })
    const busy = (): number => clock.now().monotonic - start
    const meter = createMeter({
      probes: [steady(80)],
      clock,
      interval: seconds(3600),
      gramsPerKwh: () => 0,
      logicalCpus: 1,
      tree: { read: () => ({ cpu: seconds(Math.floor(busy() * 100 + 1e-6) / 100), residentBytes: 0 }) },
    })
    for (let count = 0; count < 2000; count += 1) {
      clock.advance(0.001)
      meter.read()
    }
    const { tree, machine } = meter.read()
    const share = (tree?.energy.cpu?.value ?? 0) / (machine.energy.cpu?.value ?? 1)
    expect(share).toBeGreaterThan(0.98)
    expect(share).toBeLessThanOrEqual(1 + 1e-9)
  })
})
