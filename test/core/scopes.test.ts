import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exactly } from '../../src/core/estimate.ts'
import { createScopes, type Scope, type Scopes } from '../../src/core/scopes.ts'
import { grams, joules, seconds, type Seconds } from '../../src/core/units.ts'
import { addUsage, noUsage, totalEnergy, usageBetween, type Usage } from '../../src/core/usage.ts'

/** Usage of so many joules by processor and memory. */
function used(cpu: number, ram = 0, time = 1): Usage {
  const energy = (value: number, method: 'measured' | 'estimated'): NonNullable<Usage['energy']['cpu']> => ({
    value: joules(value),
    low: joules(value * 0.5),
    high: joules(value * 1.5),
    emissions: grams(value / 10),
    told: seconds(time),
    methods: { measured: joules(0), integrated: joules(0), estimated: joules(0), [method]: joules(value) },
  })
  return {
    time: seconds(time),
    machineTime: seconds(time),
    energy: { cpu: energy(cpu, 'measured'), ram: energy(ram, 'estimated') },
    emissions: exactly(grams((cpu + ram) / 10)),
  }
}

/** Scopes, and the machine's usage that the test adds to. */
function bench(): { scopes: Scopes; spend(cpu: number, ram?: number): void; total(): Usage } {
  const begin = used(5000, 700, 60)
  let total = begin
  const scopes = createScopes(begin)
  return {
    scopes,
    spend(cpu, ram = 0) {
      total = addUsage(total, used(cpu, ram))
      scopes.advance(total)
    },
    total: () => usageBetween(begin, total),
  }
}

/** What it has used when it is ended now. */
function atEndOf(scope: Scope): Usage {
  scope.end()
  return scope.used()
}

const joulesOf = (usage: Usage): number => totalEnergy(usage).value
const cpuOf = (usage: Usage): number => usage.energy.cpu?.value ?? 0
const ramOf = (usage: Usage): number => usage.energy.ram?.value ?? 0

describe('a scope', () => {
  test('that is alone is given all that was used in its time', () => {
    const { scopes, spend } = bench()
    spend(100)
    const scope = scopes.begin()
    spend(30, 4)
    spend(20, 6)
    const usage = atEndOf(scope)
    expect([cpuOf(usage), ramOf(usage)]).toEqual([50, 10])
    expect(usage.time).toBe(2)
    expect(usage.emissions.value).toBeCloseTo(6, 12)
    spend(100)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(200, 9)
  })

  test('that has ended stops growing, and ending it again changes nothing', () => {
    const { scopes, spend } = bench()
    const scope = scopes.begin()
    spend(30)
    const usage = atEndOf(scope)
    expect(scope.ended).toBe(true)
    spend(70)
    expect(scope.used()).toEqual(usage)
    expect(atEndOf(scope)).toEqual(usage)
  })

  test('that began and ended at one moment used nothing', () => {
    const { scopes, spend } = bench()
    spend(30)
    expect(joulesOf(atEndOf(scopes.begin()))).toBe(0)
  })

  test('can be asked while it runs', () => {
    const { scopes, spend } = bench()
    const scope = scopes.begin()
    spend(30)
    expect(joulesOf(scope.used())).toBe(30)
    spend(12)
    expect(joulesOf(scope.used())).toBe(42)
  })
})

describe('scopes side by side', () => {
  test('are given equal shares', () => {
    const { scopes, spend } = bench()
    const all = [scopes.begin(), scopes.begin(), scopes.begin()]
    spend(90, 30)
    for (const scope of all) {
      expect(cpuOf(scope.used())).toBeCloseTo(30, 12)
      expect(ramOf(scope.used())).toBeCloseTo(10, 12)
    }
    expect(joulesOf(scopes.unattributed())).toBe(0)
  })

  test('are given shares only of the time in which they ran', () => {
    const { scopes, spend } = bench()
    const first = scopes.begin()
    spend(10)
    const second = scopes.begin()
    spend(20)
    first.end()
    spend(40)
    expect(joulesOf(first.used())).toBeCloseTo(10 + 10, 12)
    expect(joulesOf(atEndOf(second))).toBeCloseTo(10 + 40, 12)
  })
})

describe('a scope in a scope', () => {
  test('is given what is used while it runs, and its parent holds that too', () => {
    const { scopes, spend } = bench()
    const parent = scopes.begin()
    spend(10)
    const child = scopes.begin(parent)
    spend(20)
    expect(joulesOf(atEndOf(child))).toBe(20)
    spend(5)
    expect(joulesOf(atEndOf(parent))).toBe(35)
  })

  test('that ends leaves its parent no share while another one runs in that', () => {
    const { scopes, spend } = bench()
    const parent = scopes.begin()
    const [first, second] = [scopes.begin(parent), scopes.begin(parent)] as const
    spend(20)
    first.end()
    spend(30)
    expect([first, second, parent].map((scope) => joulesOf(scope.used()))).toEqual([10, 40, 50])
    second.end()
    spend(5)
    expect(joulesOf(atEndOf(parent))).toBe(55)
  })

  test('does not make its parent take a larger share than a neighbour', () => {
    const { scopes, spend } = bench()
    const parent = scopes.begin()
    const neighbour = scopes.begin()
    const child = scopes.begin(parent)
    spend(20)
    expect(joulesOf(child.used())).toBe(10)
    expect(joulesOf(parent.used())).toBe(10)
    expect(joulesOf(neighbour.used())).toBe(10)
  })

  test('that outlives its parent goes on by itself, and what it had used stays part of the parent, too', () => {
    const { scopes, spend } = bench()
    const parent = scopes.begin()
    const child = scopes.begin(parent)
    spend(20)
    expect(joulesOf(atEndOf(parent))).toBe(20)
    spend(100)
    expect(joulesOf(atEndOf(child))).toBe(120)
    expect(joulesOf(child.usedApart())).toBe(100)
    expect([child.isNested, child.totals()?.energy]).toEqual([false, 100])
    expect(joulesOf(parent.used())).toBe(20)
    expect(joulesOf(scopes.unattributed())).toBe(0)
  })

  test('that outlives its parent goes on inside of the parent of that one', () => {
    const { scopes, spend } = bench()
    const grandparent = scopes.begin()
    const parent = scopes.begin(grandparent)
    const child = scopes.begin(parent)
    spend(20)
    parent.end()
    spend(100)
    expect(joulesOf(grandparent.used())).toBe(120)
    child.end()
    expect([child.isNested, child.totals()?.energy]).toEqual([true, 120])
    spend(5)
    expect(joulesOf(atEndOf(grandparent))).toBe(125)
    expect(child.isNested).toBe(true)
  })

  test('that begins below one that has ended is part of the nearest above that has not', () => {
    const { scopes, spend } = bench()
    const grandparent = scopes.begin()
    const parent = scopes.begin(grandparent)
    spend(5)
    parent.end()
    const late = scopes.begin(parent)
    spend(20)
    expect(joulesOf(atEndOf(late))).toBe(20)
    expect(joulesOf(atEndOf(grandparent))).toBe(25)
  })

  test('of a parent that has ended stands on its own', () => {
    const { scopes, spend } = bench()
    const parent = scopes.begin()
    spend(5)
    parent.end()
    const late = scopes.begin(parent)
    spend(20)
    expect(joulesOf(atEndOf(late))).toBe(20)
    expect(joulesOf(parent.used())).toBe(5)
  })
})

/** Scopes of a machine of four processors, with a clock. */
function timed(options: { gpu?: boolean } = {}): {
  scopes: Scopes
  at(time: number): Seconds
  read(time: number, cpu: number, ...rest: [gpu?: number, machineTime?: number]): void
  end(time: number): void
  total(): Usage
} {
  const begin = used(0, 0, 0)
  const scopes = createScopes(begin, { at: seconds(100), logicalCpus: 4 })
  let total = begin
  let last = 100
  const advance = (time: number, step: Usage, isLast = false): void => {
    total = addUsage(total, step)
    last = time
    scopes.advance(total, seconds(time), isLast)
  }
  return {
    scopes,
    at: (time) => seconds(time),
    read(time, cpu, gpu = 0, machineTime = time - last) {
      const step = used(cpu, 0, time - last)
      const cards = used(gpu, 0, time - last).energy.cpu
      advance(time, {
        ...step,
        machineTime: seconds(machineTime),
        energy: { ...step.energy, ...(options.gpu === true && cards !== undefined ? { gpu: cards } : {}) },
        emissions: exactly(grams((cpu + (options.gpu === true ? gpu : 0)) / 10)),
      })
    },
    end: (time) => {
      advance(time, noUsage, true)
    },
    total: () => usageBetween(begin, total),
  }
}

describe('scopes nested deeper than anybody would by hand', () => {
  test('add up to what was used, while they run and when they have ended', () => {
    const { scopes, spend, total } = bench()
    const all = [scopes.begin()]
    for (let depth = 1; depth < 20_000; depth += 1) all.push(scopes.begin(all.at(-1)))
    const [outermost] = all as [Scope]
    spend(100)
    expect(joulesOf(outermost.used())).toBeCloseTo(100, 6)
    for (const scope of all.toReversed()) scope.end()
    spend(50)
    expect(joulesOf(outermost.used())).toBeCloseTo(100, 6)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(50, 6)
    expect(joulesOf(total())).toBe(150)
  })

  test('add up to what was used where the outermost one ends first', () => {
    const { scopes, spend } = bench()
    const all = [scopes.begin()]
    for (let depth = 1; depth < 500; depth += 1) all.push(scopes.begin(all.at(-1)))
    const [outermost] = all as [Scope]
    spend(100)
    for (const scope of all) scope.end()
    spend(50)
    expect(joulesOf(outermost.used())).toBeCloseTo(100, 6)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(50, 6)
  })

  test('are whole again where the outer ones have ended', () => {
    const { scopes, spend } = bench()
    let scope = scopes.begin()
    for (let count = 0; count < 1000; count += 1) {
      const next = scopes.begin(scope)
      scope.end()
      scope = next
    }
    const inner = scopes.begin(scope)
    spend(8)
    inner.end()
    expect(joulesOf(atEndOf(scope))).toBeCloseTo(8, 9)
    expect(joulesOf(inner.used())).toBeCloseTo(8, 9)
  })
})

describe('scopes that begin and end between two readings', () => {
  test('are given their part of the time, in equal shares, once it is read', () => {
    const { scopes, at, read } = timed()
    const first = scopes.begin(undefined, { at: at(101) })
    const second = scopes.begin(undefined, { at: at(103) })
    first.end(at(105))
    second.end(at(106))
    expect([first.isSettled, first.totals()]).toEqual([false, undefined])
    read(110, 100)
    expect(first.isSettled).toBe(true)
    // Two seconds alone, two by halves, at 10 W.
    expect(joulesOf(first.used())).toBeCloseTo(30, 9)
    expect(joulesOf(second.used())).toBeCloseTo(20, 9)
    expect(first.totals()?.energy).toBeCloseTo(30, 9)
    expect(first.totals()?.emissions).toBeCloseTo(3, 9)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(50, 9)
  })

  test('are given that of each interval that they take part in', () => {
    const { scopes, at, read } = timed()
    const scope = scopes.begin(undefined, { at: at(105) })
    read(110, 100)
    read(120, 500)
    expect(joulesOf(scope.used())).toBeCloseTo(550, 9)
    scope.end(at(122))
    read(130, 1000)
    expect(joulesOf(scope.used())).toBeCloseTo(750, 9)
    expect(scope.totals()?.energy).toBeCloseTo(750, 9)
    read(140, 1000)
    expect(joulesOf(scope.used())).toBeCloseTo(750, 9)
  })

  test('leave their parent what it does before and after', () => {
    const { scopes, at, read } = timed()
    const parent = scopes.begin(undefined, { at: at(100) })
    const child = scopes.begin(parent, { at: at(102) })
    child.end(at(106))
    parent.end(at(110))
    read(110, 100)
    expect(joulesOf(child.used())).toBeCloseTo(40, 9)
    expect(joulesOf(parent.used())).toBeCloseTo(100, 9)
  })

  test('have no time before the last reading, whatever a clock says', () => {
    const { scopes, at, read } = timed()
    read(110, 100)
    const scope = scopes.begin(undefined, { at: at(90) })
    scope.end(at(80))
    read(120, 100)
    expect(joulesOf(scope.used())).toBe(0)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(200, 9)
  })
})

describe('the energy of graphics processors', () => {
  test.each([
    [1, 700, 0],
    [2, 0, 700],
  ])(
    'in an interval of no length is that of %i active scopes only where that is one',
    (count, given, rest) => {
      const { scopes, at, read } = timed({ gpu: true })
      read(110, 0)
      const all = Array.from({ length: count }, () => scopes.begin(undefined, { at: at(110) }))
      read(110, 40, 700)
      const gpu = all.reduce((sum, scope) => sum + (scope.used().energy.gpu?.value ?? 0), 0)
      expect([gpu, scopes.unattributed().energy.gpu?.value ?? 0]).toEqual([given, rest])
    },
  )

  test('is that of a scope while it is the only one, and else of none', () => {
    const { scopes, at, read, total } = timed({ gpu: true })
    const first = scopes.begin(undefined, { at: at(100) })
    const second = scopes.begin(undefined, { at: at(106) })
    first.end(at(108))
    second.end(at(110))
    read(110, 100, 1000)
    expect(first.used().energy.gpu?.value).toBeCloseTo(600, 9)
    expect(second.used().energy.gpu?.value).toBeCloseTo(200, 9)
    expect(scopes.unattributed().energy.gpu?.value).toBeCloseTo(200, 9)
    const parts = [first.used(), second.used(), scopes.unattributed()]
    const grams = parts.reduce((sum, { emissions }) => sum + emissions.value, 0)
    expect(grams).toBeCloseTo(total().emissions.value, 9)
  })

  test('is unknown of one that was never alone', () => {
    const { scopes, at, read } = timed({ gpu: true })
    const both = [scopes.begin(undefined, { at: at(100) }), scopes.begin(undefined, { at: at(100) })]
    read(110, 100, 1000)
    expect(both.map((scope) => scope.used().energy.gpu)).toEqual([undefined, undefined])
  })
})

describe('scopes that tell their CPU time', () => {
  test('are given the energy of that time, and the rest goes to those that share by time', () => {
    const { scopes, at, read } = timed()
    const exact = scopes.begin(undefined, { at: at(100), isExact: true })
    const shared = scopes.begin(undefined, { at: at(100) })
    exact.addCpu(at(10), at(10))
    exact.end(at(110))
    read(110, 100)
    // A quarter of the time of four processors.
    expect(joulesOf(exact.used())).toBeCloseTo(25, 9)
    expect(joulesOf(shared.used())).toBeCloseTo(75, 9)
  })

  test('have a part of a process tree by its own CPU time', () => {
    const { scopes, at, read } = timed()
    const exact = scopes.begin(undefined, { isExact: true })
    exact.addCpu(at(2), at(10))
    exact.end()
    // The tree had 5 of 40 seconds.
    read(110, 100, 0, 5 / 4)
    expect(joulesOf(exact.used())).toBeCloseTo(40, 9)
  })

  test('are paid over as long as they took, and never more than there was', () => {
    const { scopes, at, read } = timed()
    const exact = scopes.begin(undefined, { isExact: true })
    exact.addCpu(at(4), at(10))
    exact.end()
    read(101, 10)
    expect([joulesOf(exact.used()), exact.isSettled]).toEqual([1, false])
    read(110, 90)
    expect(joulesOf(exact.used())).toBeCloseTo(10, 9)
    expect(exact.isSettled).toBe(true)
    const greedy = scopes.begin(undefined, { isExact: true })
    greedy.addCpu(at(1000), at(1))
    greedy.end()
    read(111, 10)
    expect(joulesOf(greedy.used())).toBeCloseTo(10, 9)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(90, 9)
  })

  test('are paid at the higher of the rates at which it was told between two readings', () => {
    const { scopes, at, read } = timed()
    const exact = scopes.begin(undefined, { isExact: true })
    exact.addCpu(at(2), at(1))
    exact.addCpu(at(2), at(10))
    exact.end()
    read(101, 40)
    expect(joulesOf(exact.used())).toBeCloseTo(20, 9)
    read(102, 40)
    expect([exact.isSettled, joulesOf(exact.used())]).toEqual([true, 40])
  })

  test('are paid in the order in which it was told, and in equal parts of what was told at a time', () => {
    const { scopes, at, read } = timed()
    const begin = (): Scope => scopes.begin(undefined, { isExact: true })
    const [early, late, other] = [begin(), begin(), begin()] as const
    early.addCpu(at(6), at(0))
    early.end()
    read(101, 40)
    late.addCpu(at(2), at(0))
    other.addCpu(at(6), at(0))
    read(102, 40)
    expect([early, late, other].map((scope) => joulesOf(scope.used()))).toEqual([60, 5, 15])
    expect(early.isSettled).toBe(true)
  })

  test('are settled within a few seconds, also where more of it is told than there was', () => {
    const { scopes, at, read, total } = timed()
    const all: Scope[] = []
    let mostWaiting = 0
    for (let time = 101; time <= 160; time += 1) {
      // Twelve threads that wait, and tell of it as of CPU time, on four processors.
      for (let thread = 0; thread < 12; thread += 1) {
        const scope = scopes.begin(undefined, { at: at(time - 1), isExact: true })
        scope.addCpu(at(1), at(1))
        scope.end(at(time))
        all.push(scope)
      }
      read(time, 100)
      mostWaiting = Math.max(mostWaiting, all.filter((scope) => !scope.isSettled).length)
    }
    expect(mostWaiting).toBeLessThanOrEqual(7 * 12)
    for (let time = 161; time <= 167; time += 1) read(time, 100)
    expect(all.every((scope) => scope.isSettled)).toBe(true)
    const given = all.reduce((sum, scope) => sum + joulesOf(scope.used()), 0)
    expect(given + joulesOf(scopes.unattributed())).toBeCloseTo(joulesOf(total()), 6)
    expect(given).toBeGreaterThan(6000 - 1e-6)
    // Nobody is left out for the place in which it is told.
    const byThread = Array.from({ length: 12 }, (_, thread) =>
      all
        .filter((_scope, index) => index % 12 === thread)
        .reduce((sum, scope) => sum + joulesOf(scope.used()), 0),
    )
    expect(Math.max(...byThread)).toBeCloseTo(Math.min(...byThread), 6)
  })

  test('are settled in the end, also where there never was any', () => {
    const { scopes, at, end } = timed()
    const exact = scopes.begin(undefined, { isExact: true })
    exact.addCpu(at(2), at(2))
    exact.end()
    end(100)
    expect([exact.isSettled, joulesOf(exact.used())]).toEqual([true, 0])
  })

  test('are settled where there is no CPU time to pay it with', () => {
    const { scopes, at, read } = timed()
    const exact = scopes.begin(undefined, { isExact: true })
    exact.addCpu(at(2), at(2))
    exact.end()
    for (let time = 101; time <= 107; time += 1) read(time, 0, 0, 0)
    expect(exact.isSettled).toBe(false)
    read(108, 0, 0, 0)
    expect([exact.isSettled, joulesOf(exact.used())]).toEqual([true, 0])
  })

  test('are paid in the end out of what went to none, where the last interval is too short for it', () => {
    const { scopes, at, read, end, total } = timed()
    read(110, 100)
    read(110.01, 0.1)
    const exact = scopes.begin(undefined, { isExact: true })
    exact.addCpu(at(8), at(8))
    exact.end()
    end(110.01)
    expect(exact.isSettled).toBe(true)
    expect(joulesOf(exact.used())).toBeCloseTo(20, 6)
    expect(joulesOf(exact.used()) + joulesOf(scopes.unattributed())).toBeCloseTo(joulesOf(total()), 9)
    // And never more than that was.
    const second = timed()
    const shared = second.scopes.begin(undefined, { at: at(100) })
    second.read(110, 100)
    const late = second.scopes.begin(undefined, { isExact: true })
    late.addCpu(at(8), at(8))
    late.end()
    second.end(110)
    expect(joulesOf(late.used())).toBe(0)
    expect(joulesOf(shared.used())).toBeCloseTo(100, 9)
  })

  test('are paid in the end by no more of each component than went to none', () => {
    const begin = used(0, 0, 0)
    const scopes = createScopes(begin, { at: seconds(0) })
    const idle = addUsage(begin, used(100, 0, 10))
    scopes.advance(idle, seconds(10))
    const shared = scopes.begin(undefined, { at: seconds(10) })
    const busy = addUsage(idle, used(100, 100, 10))
    scopes.advance(busy, seconds(20))
    shared.end(seconds(20))
    const exact = scopes.begin(undefined, { isExact: true })
    exact.addCpu(seconds(5), seconds(5))
    exact.end()
    scopes.advance(busy, seconds(20), true)
    expect([cpuOf(exact.used()), ramOf(exact.used())]).toEqual([50, 0])
    expect([cpuOf(scopes.unattributed()), ramOf(scopes.unattributed())]).toEqual([50, 0])
    expect(exact.used().emissions.value).toBeCloseTo(5, 9)
  })

  test('leave their parent its own share, which holds what they used', () => {
    const { scopes, at, read } = timed()
    const parent = scopes.begin(undefined, { at: at(100) })
    const exact = scopes.begin(parent, { at: at(100), isExact: true })
    exact.addCpu(at(10), at(10))
    exact.end(at(110))
    read(110, 100)
    expect(joulesOf(exact.used())).toBeCloseTo(25, 9)
    expect(joulesOf(parent.used())).toBeCloseTo(100, 9)
    expect(joulesOf(scopes.unattributed())).toBe(0)
  })

  test('that are discarded leave nobody what their CPU time was worth, though it is told late', () => {
    const { scopes, at, read, total } = timed()
    const exact = scopes.begin(undefined, { at: at(100), isExact: true })
    exact.addCpu(at(10), at(10))
    exact.discard(at(110))
    read(110, 100)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(joulesOf(total()), 9)
  })

  test('may share the rest by time as well', () => {
    const { scopes, at, read } = timed()
    const [busy, waiting] = [
      scopes.begin(undefined, { at: at(100) }),
      scopes.begin(undefined, { at: at(100) }),
    ] as const
    busy.addCpu(at(20), at(0))
    read(110, 100)
    expect(joulesOf(busy.used())).toBeCloseTo(50 + 25, 9)
    expect(joulesOf(waiting.used())).toBeCloseTo(25, 9)
  })
})

test('a scope is not settled before what ended inside of it has been paid', () => {
  const { scopes, at, read, total } = timed()
  const outer = scopes.begin(undefined, { at: at(100), isExact: true })
  const inner = scopes.begin(outer, { at: at(100), isExact: true })
  inner.addCpu(at(10), at(10))
  inner.end(at(101))
  outer.end(at(101))
  read(105, 100)
  expect([inner.isSettled, outer.isSettled]).toEqual([false, false])
  read(110, 100)
  expect([inner.isSettled, outer.isSettled]).toEqual([true, true])
  expect(outer.totals()?.energy).toBeCloseTo(50, 9)
  expect(50 + joulesOf(scopes.unattributed())).toBeCloseTo(joulesOf(total()), 9)
})

describe('a scope that is discarded', () => {
  test('leaves what it used to nobody, and what is in it goes on alone', () => {
    const { scopes, at, read } = timed()
    const [other, gone] = [
      scopes.begin(undefined, { at: at(100) }),
      scopes.begin(undefined, { at: at(100) }),
    ] as const
    const inner = scopes.begin(gone, { at: at(105) })
    gone.discard(at(105))
    gone.discard(at(108))
    read(110, 100)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(25, 9)
    expect([other, inner].map((scope) => joulesOf(scope.used()))).toEqual([50, 25])
    read(120, 40)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(25, 9)
  })

  test('leaves it to what is around it', () => {
    const { scopes, at, read } = timed()
    const around = scopes.begin(undefined, { at: at(100) })
    const gone = scopes.begin(around, { at: at(102) })
    gone.discard(at(106))
    read(110, 100)
    expect(joulesOf(around.used())).toBeCloseTo(100, 9)
    expect(joulesOf(scopes.unattributed())).toBeCloseTo(0, 9)
  })
})

test('ten thousand scopes that interleave are given what the machine used, each by its part', () => {
  const { scopes, at, read, total } = timed()
  const all: Scope[] = []
  for (let index = 0; index < 10_000; index += 1) {
    const begun = 100 + index / 100
    // Each is active while ten others are, on the average.
    all.push(scopes.begin(undefined, { at: at(begun) }))
    if (index >= 10) all[index - 10]?.end(at(begun))
    if (index % 100 === 99) read(begun + 0.001, 50)
  }
  for (const scope of all) scope.end(at(201))
  read(202, 50)
  const given = all.reduce((sum, scope) => sum + (scope.totals()?.energy ?? 0), 0)
  const sum = given + joulesOf(scopes.unattributed())
  expect(Math.abs(sum - joulesOf(total()))).toBeLessThan(1e-6 * joulesOf(total()))
  expect(given).toBeGreaterThan(0.95 * joulesOf(total()))
})

/** What may happen; numbers choose among the scopes there are. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const) }),
  fc.record({ kind: fc.constant('nest' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('end' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('discard' as const), index: fc.nat() }),
  fc.record({
    kind: fc.constant('spend' as const),
    cpu: fc.double({ min: 0, max: 1e5, noNaN: true }),
    ram: fc.double({ min: 0, max: 1e4, noNaN: true }),
  }),
)

test('whatever happens, what root scopes are given and what is unattributed add up to what was used', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const { scopes, spend, total } = bench()
      const all: { scope: Scope; parent: Scope | undefined; isDiscarded?: true; final?: Usage }[] = []

      for (const event of steps) {
        if (event.kind === 'spend') spend(event.cpu, event.ram)
        if (event.kind === 'begin') all.push({ scope: scopes.begin(), parent: undefined })
        const chosen = 'index' in event ? all[event.index % Math.max(1, all.length)] : undefined
        if (event.kind === 'nest' && chosen !== undefined) {
          let above: (typeof all)[number] | undefined = chosen
          while (above?.scope.ended === true) above = all.find(({ scope }) => scope === above?.parent)
          const parent = above?.scope
          all.push({ scope: scopes.begin(chosen.scope), parent })
        }
        if ((event.kind === 'end' || event.kind === 'discard') && chosen?.scope.ended === false) {
          // Who outlives its parent goes on inside of that one's.
          for (const entry of all) {
            if (entry.parent === chosen.scope && !entry.scope.ended) entry.parent = chosen.parent
          }
          if (event.kind === 'discard') chosen.isDiscarded = true
          chosen.scope[event.kind]()
        }
        for (const entry of all) if (entry.scope.ended) entry.final ??= entry.scope.used()
      }

      const slack = 1e-9 * joulesOf(total()) + 1e-9
      for (const component of [cpuOf, ramOf, joulesOf, ({ time }: Usage) => time]) {
        const roots = all.filter(({ parent, isDiscarded }) => parent === undefined && isDiscarded !== true)
        const given = roots.reduce((sum, { scope }) => sum + component(scope.usedApart()), 0)
        expect(Math.abs(given + component(scopes.unattributed()) - component(total()))).toBeLessThanOrEqual(
          slack,
        )
      }
      for (const { scope, final } of all) {
        const usage = scope.used()
        if (final !== undefined) expect(usage).toEqual(final)
        for (const use of [usage.energy.cpu, usage.energy.ram]) {
          if (use === undefined) continue
          expect(use.value).toBeGreaterThanOrEqual(-slack)
          expect(use.low).toBeLessThanOrEqual(use.value + slack)
          expect(use.high).toBeGreaterThanOrEqual(use.value - slack)
        }
        expect(joulesOf(scope.usedApart())).toBeLessThanOrEqual(joulesOf(usage) + slack)
      }
    }),
    { numRuns: 300 },
  )
})

/** The same with a clock, and CPU time that is told. */
const timedStep = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const), isExact: fc.boolean() }),
  fc.record({ kind: fc.constant('nest' as const), index: fc.nat(), isExact: fc.boolean() }),
  fc.record({ kind: fc.constant('end' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('discard' as const), index: fc.nat() }),
  fc.record({
    kind: fc.constant('tell' as const),
    index: fc.nat(),
    cpu: fc.integer({ min: 1, max: 40 }),
    over: fc.integer({ min: 0, max: 20 }),
  }),
  fc.record({ kind: fc.constant('wait' as const), time: fc.integer({ min: 1, max: 10 }) }),
  fc.record({
    kind: fc.constant('read' as const),
    cpu: fc.integer({ min: 0, max: 1000 }),
    gpu: fc.integer({ min: 0, max: 1000 }),
  }),
)

test('whatever happens, records that are not nested and what is unattributed add up to what was used', () => {
  fc.assert(
    fc.property(fc.array(timedStep, { minLength: 1, maxLength: 60 }), (steps) => {
      const { scopes, at, read, end, total } = timed({ gpu: true })
      const open: Scope[] = []
      let ended: Scope[] = []
      let now = 100
      let told = 0
      // Each is told once, as soon as it is settled.
      const settle = (): void => {
        for (const scope of ended) if (scope.isSettled && !scope.isNested) told += scope.totals()?.energy ?? 0
        ended = ended.filter((scope) => !scope.isSettled)
      }
      for (const event of steps) {
        const chosen = 'index' in event ? open[event.index % Math.max(1, open.length)] : undefined
        if (event.kind === 'wait') now += event.time
        if (event.kind === 'begin')
          open.push(scopes.begin(undefined, { at: at(now), isExact: event.isExact }))
        if (event.kind === 'nest') open.push(scopes.begin(chosen, { at: at(now), isExact: event.isExact }))
        if (event.kind === 'tell') chosen?.addCpu(at(event.cpu), at(event.over))
        if (event.kind === 'read') {
          read(now, event.cpu, event.gpu)
          settle()
        }
        if ((event.kind === 'end' || event.kind === 'discard') && chosen !== undefined) {
          chosen[event.kind](at(now))
          open.splice(open.indexOf(chosen), 1)
          if (event.kind === 'end') ended.push(chosen)
        }
      }
      for (const scope of open) scope.end(at(now))
      ended.push(...open)
      read(now + 1, 10)
      settle()
      end(now + 1)
      settle()
      expect(ended).toEqual([])
      const sum = told + joulesOf(scopes.unattributed())
      expect(Math.abs(sum - joulesOf(total()))).toBeLessThanOrEqual(1e-9 * joulesOf(total()) + 1e-9)
    }),
    { numRuns: 500 },
  )
})

test('with no usage at all there is nothing to share', () => {
  const scopes = createScopes(noUsage)
  const scope = scopes.begin()
  scopes.advance(noUsage)
  expect(atEndOf(scope)).toEqual(noUsage)
})
