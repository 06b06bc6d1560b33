import { describe, expect, test } from 'vitest'
import type { Method } from '../../src/core/reading.ts'
import { ProblemLog } from '../../src/core/problem.ts'
import { countedComponent, Tally } from '../../src/core/tally.ts'
import { joules, seconds } from '../../src/core/units.ts'
import {
  addUsage,
  mainMethod,
  measuredShare,
  noUsage,
  totalEnergy,
  usageBetween,
  type EnergyUse,
} from '../../src/core/usage.ts'

const step = (value: number, method: Method = 'measured', component: 'cpu' | 'ram' | 'gpu' = 'cpu') => ({
  component,
  method,
  value,
  low: value,
  high: value,
})

describe('a tally', () => {
  test('adds up energy by component and method, and grams by the intensity of each moment', () => {
    const tally = new Tally()
    // 3.6 MJ are one kilowatt-hour.
    tally.add(step(3.6e6), 100)
    tally.add(step(3.6e6), 500)
    tally.add(step(1.8e6, 'estimated', 'ram'), 200)
    tally.pass(seconds(3))
    const usage = tally.usage()
    expect(usage.energy.cpu?.methods.measured).toBe(7.2e6)
    expect(usage.energy.ram?.methods.estimated).toBe(1.8e6)
    expect(usage.energy.gpu).toBeUndefined()
    expect(usage.emissions.value).toBeCloseTo(100 + 500 + 0.5 * 200, 9)
    expect(usage.time).toBe(3)
  })

  test('adds a share of a step where told to', () => {
    const tally = new Tally()
    tally.add({ ...step(100), low: 60, high: 200 }, 0, 0.25)
    expect(tally.usage().energy.cpu).toMatchObject({ value: 25, low: 15, high: 50 })
  })

  test('gives a usage that later steps do not change', () => {
    const tally = new Tally()
    tally.add(step(10), 100)
    const usage = tally.usage()
    const copy = structuredClone(usage)
    tally.add(step(10), 100)
    expect(usage).toEqual(copy)
  })
})

describe('usage', () => {
  test('a component that is absent in one is zero there, and absent where it is in neither', () => {
    const tally = new Tally()
    tally.add(step(10), 0)
    const sum = addUsage(noUsage, tally.usage())
    expect(sum.energy.cpu?.value).toBe(10)
    expect(sum.energy).not.toHaveProperty('gpu')
  })

  test('what lies between two usages and the first add up to the second', () => {
    const tally = new Tally()
    tally.tell('cpu', seconds(0))
    tally.tell('ram', seconds(0))
    tally.add(step(10), 50)
    const before = tally.usage()
    tally.add(step(32, 'estimated', 'ram'), 70)
    tally.tell('cpu', seconds(4))
    tally.tell('ram', seconds(4))
    tally.pass(seconds(4))
    const after = tally.usage()
    const between = usageBetween(before, after)
    expect(totalEnergy(between).value).toBe(32)
    expect(addUsage(before, between)).toEqual(after)
  })

  test('what nobody told of in between is absent, not zero', () => {
    const tally = new Tally()
    tally.tell('cpu', seconds(0))
    tally.add(step(10), 50)
    tally.tell('cpu', seconds(1))
    tally.pass(seconds(1))
    const before = tally.usage()
    tally.pass(seconds(3))
    expect(usageBetween(before, tally.usage()).energy).toEqual({})
    tally.tell('cpu', seconds(4))
    expect(usageBetween(before, tally.usage()).energy.cpu).toMatchObject({ value: 0, told: 3 })
  })

  test('the measured share is that of the energy, and unknown where there is none', () => {
    expect(measuredShare(noUsage)).toBeUndefined()
    const tally = new Tally()
    tally.tell('cpu', seconds(0))
    expect(measuredShare(tally.usage())).toBeUndefined()
    tally.add(step(75), 0)
    tally.add(step(25, 'estimated', 'ram'), 0)
    expect(measuredShare(tally.usage())).toBe(0.75)
  })

  test.each([
    [[75, 0, 25], 'measured'],
    [[10, 30, 25], 'integrated'],
    [[10, 20, 25], 'estimated'],
    [[0, 0, 0], undefined],
  ] as const)('energy obtained %j by counter, sampling and model is mainly %s', (parts, method) => {
    const [measured, integrated, estimated] = parts.map((value) => joules(value))
    const value = joules(parts[0] + parts[1] + parts[2])
    const use = { value, low: value, high: value, methods: { measured, integrated, estimated } } as EnergyUse
    expect(mainMethod(use)).toBe(method)
  })

  test('parts of a domain and figures of the whole host count towards nothing', () => {
    const zero = joules(0)
    const reading = {
      domain: 'x',
      kind: 'package',
      method: 'measured',
      probe: 'fake',
      energy: zero,
      low: zero,
      high: zero,
    } as const
    expect(countedComponent({ ...reading, component: 'cpu' })).toBe('cpu')
    expect(countedComponent({ ...reading, component: 'cpu', parent: 'package-0' })).toBeUndefined()
    expect(countedComponent({ ...reading, component: 'host' })).toBeUndefined()
  })
})

describe('a log of problems', () => {
  test('keeps each code and subject once, with its count, its gaps and its last message', () => {
    const log = new ProblemLog()
    expect(log.add({ code: 'ERR_PROBE_READ', subject: 'a', message: 'first', gap: seconds(1) })).toBe(true)
    expect(log.add({ code: 'ERR_PROBE_READ', subject: 'a', message: 'second', gap: seconds(2) })).toBe(false)
    expect(log.add({ code: 'ERR_PROBE_READ', subject: 'b', message: 'other' })).toBe(true)
    expect(log.add({ code: 'ERR_PROBE_GONE', subject: 'a', message: 'gone' })).toBe(true)
    expect(log.list()).toEqual([
      { code: 'ERR_PROBE_READ', subject: 'a', message: 'second', count: 2, gap: 3 },
      { code: 'ERR_PROBE_READ', subject: 'b', message: 'other', count: 1, gap: 0 },
      { code: 'ERR_PROBE_GONE', subject: 'a', message: 'gone', count: 1, gap: 0 },
    ])
  })

  test('counts what goes on once, with all of its time', () => {
    const log = new ProblemLog()
    const failure = { code: 'ERR_PROBE_READ', subject: 'a', message: 'refused', gap: seconds(1) } as const
    log.add({ ...failure, goesOn: true })
    log.add({ ...failure, goesOn: true })
    log.add(failure)
    expect(log.list()).toEqual([{ ...failure, count: 2, gap: 3 }])
  })

  test('gives a list that later problems do not change', () => {
    const log = new ProblemLog()
    log.add({ code: 'ERR_PROBE_READ', subject: 'a', message: 'first' })
    const list = log.list()
    log.add({ code: 'ERR_PROBE_READ', subject: 'b', message: 'later' })
    expect(list).toHaveLength(1)
  })
})
