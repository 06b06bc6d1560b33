import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exactly } from '../../src/core/estimate.ts'
import { createScopes, type Scope, type Scopes } from '../../src/core/scopes.ts'
import { grams, joules, seconds } from '../../src/core/units.ts'
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
    const usage = scope.end()
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
    const usage = scope.end()
    expect(scope.ended).toBe(true)
    spend(70)
    expect(scope.used()).toEqual(usage)
    expect(scope.end()).toEqual(usage)
  })

  test('that began and ended at one moment used nothing', () => {
    const { scopes, spend } = bench()
    spend(30)
    expect(joulesOf(scopes.begin().end())).toBe(0)
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
    expect(joulesOf(second.end())).toBeCloseTo(10 + 40, 12)
  })
})

describe('a scope in a scope', () => {
  test('is given what is used while it runs, and its parent holds that too', () => {
    const { scopes, spend } = bench()
    const parent = scopes.begin()
    spend(10)
    const child = scopes.begin(parent)
    spend(20)
    expect(joulesOf(child.end())).toBe(20)
    spend(5)
    expect(joulesOf(parent.end())).toBe(35)
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
    expect(joulesOf(parent.end())).toBe(20)
    spend(100)
    expect(joulesOf(child.end())).toBe(120)
    expect(joulesOf(child.usedApart())).toBe(100)
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
    spend(5)
    expect(joulesOf(grandparent.end())).toBe(125)
  })

  test('that begins below one that has ended is part of the nearest above that has not', () => {
    const { scopes, spend } = bench()
    const grandparent = scopes.begin()
    const parent = scopes.begin(grandparent)
    spend(5)
    parent.end()
    const late = scopes.begin(parent)
    spend(20)
    expect(joulesOf(late.end())).toBe(20)
    expect(joulesOf(grandparent.end())).toBe(25)
  })

  test('of a parent that has ended stands on its own', () => {
    const { scopes, spend } = bench()
    const parent = scopes.begin()
    spend(5)
    parent.end()
    const late = scopes.begin(parent)
    spend(20)
    expect(joulesOf(late.end())).toBe(20)
    expect(joulesOf(parent.used())).toBe(5)
  })
})

/** What may happen; numbers choose among the scopes there are. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const) }),
  fc.record({ kind: fc.constant('nest' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('end' as const), index: fc.nat() }),
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
      const all: { scope: Scope; parent: Scope | undefined; final?: Usage }[] = []

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
        if (event.kind === 'end' && chosen?.scope.ended === false) {
          // Who outlives its parent goes on inside of that one's.
          for (const entry of all) {
            if (entry.parent === chosen.scope && !entry.scope.ended) entry.parent = chosen.parent
          }
          chosen.scope.end()
        }
        for (const entry of all) if (entry.scope.ended) entry.final ??= entry.scope.used()
      }

      const slack = 1e-9 * joulesOf(total()) + 1e-9
      for (const component of [cpuOf, ramOf, joulesOf, ({ time }: Usage) => time]) {
        const roots = all.filter(({ parent }) => parent === undefined)
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

test('with no usage at all there is nothing to share', () => {
  const scopes = createScopes(noUsage)
  const scope = scopes.begin()
  scopes.advance(noUsage)
  expect(scope.end()).toEqual(noUsage)
})
