import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joules, seconds, watts } from '../../src/core/units.ts'
import { WrappingCounter, type CounterUpdate } from '../../src/core/wrapping-counter.ts'

const maxPower = watts(1000)

interface Bench {
  readonly counter: WrappingCounter
  update(raw: number, passed?: number, resumed?: boolean): CounterUpdate
}

function withRange(range?: number): Bench {
  const counter = new WrappingCounter({ range: range === undefined ? undefined : joules(range), maxPower })
  let at = 50
  return {
    counter,
    update(raw, passed = 1, resumed = false) {
      at += passed
      return counter.update(joules(raw), seconds(at), resumed)
    },
  }
}

test('the first value is the starting point, however high it is', () => {
  const { counter, update } = withRange(65_000)
  expect(update(64_999)).toBe('counted')
  expect(counter.energy).toBe(0)
})

test('a rise is counted as it is', () => {
  const { counter, update } = withRange(65_000)
  update(100)
  update(115)
  expect(update(145, 2)).toBe('counted')
  expect(counter.total).toEqual({ value: 45, low: 45, high: 45 })
})

test('a value that stands still counts nothing', () => {
  const { counter, update } = withRange(65_000)
  update(100)
  expect(update(100)).toBe('counted')
  expect(counter.energy).toBe(0)
})

test('a fall past the end of the range counts what is left of the range and what is new', () => {
  const { counter, update } = withRange(105)
  update(100)
  expect(update(10)).toBe('counted')
  expect(counter.energy).toBe(105 - 100 + 10)
})

test('wraps are told: those that were seen, and the times in which there may have been more', () => {
  const { counter, update } = withRange(100_000)
  update(99_000)
  update(50)
  update(60)
  expect(counter.wraps).toEqual({ sure: 1, suspected: 0 })
  update(70, 500)
  expect(counter.wraps).toEqual({ sure: 1, suspected: 1 })
  update(20, 500)
  expect(counter.wraps).toEqual({ sure: 2, suspected: 2 })
})

test('a reset is no wrap', () => {
  const { counter, update } = withRange(100_000)
  update(50_000)
  expect(update(10)).toBe('gap')
  expect(counter.wraps).toEqual({ sure: 0, suspected: 0 })
})

test('without a range a fall is a gap', () => {
  const { counter, update } = withRange()
  update(100)
  update(130)
  expect(update(20)).toBe('gap')
  expect(counter.energy).toBe(30)
  update(25)
  expect(counter.energy).toBe(35)
})

test.each([0, -5])('a range of %d is no range', (range) => {
  const { counter, update } = withRange(range)
  update(100)
  expect(update(20)).toBe('gap')
  expect(counter.energy).toBe(0)
})

test('a fall that would need more power than there can be is a reset', () => {
  const { counter, update } = withRange(65_000)
  update(30_000)
  expect(update(0)).toBe('gap')
  expect(counter.energy).toBe(0)
  expect(update(8)).toBe('counted')
  expect(counter.energy).toBe(8)
})

test('after sleep a fall is a gap and a rise is counted', () => {
  const { counter, update } = withRange(65_000)
  update(64_990)
  expect(update(5, 1, true)).toBe('gap')
  expect(update(25, 1, true)).toBe('counted')
  expect(counter.energy).toBe(20)
})

test('a value that was missed costs nothing: the next one has the energy of both intervals', () => {
  const every = withRange(1000)
  const missing = withRange(1000)
  for (const raw of [900, 950, 50, 120]) every.update(raw)
  missing.update(900)
  missing.update(120, 3)
  expect(missing.counter.energy).toBe(every.counter.energy)
})

test('a starting point without a time is counted from', () => {
  const counter = new WrappingCounter({ range: joules(65_000), maxPower })
  counter.update(joules(500))
  expect(counter.update(joules(512), seconds(10))).toBe('counted')
  expect(counter.energy).toBe(12)
})

describe('where so much time passed that wraps may be unseen', () => {
  // 100 s at 1000 W are 100 kJ: up to one more wrap of 65 kJ than the eye sees.
  test('the number of wraps is the one closest to the power before', () => {
    const { counter, update } = withRange(65_000)
    update(0)
    update(700)
    const spent = 700 * 100
    expect(update((700 + spent) % 65_000, 100)).toBe('guessed')
    expect(counter.total.value).toBe(700 + spent)
    expect(counter.total.low).toBe(700 + spent - 65_000)
    expect(counter.total.high).toBe(700 + spent)
  })

  test('at low power before, no wrap is assumed, and the interval holds the most there can be', () => {
    const { counter, update } = withRange(65_000)
    update(0)
    update(15)
    expect(update(15 + 15 * 300, 300)).toBe('guessed')
    const { value, low, high } = counter.total
    expect([value, low]).toEqual([15 * 301, 15 * 301])
    expect(high).toBe(value + Math.floor((300_000 - 15 * 300) / 65_000) * 65_000)
  })

  test('the interval stays as wide as it was, and the middle follows what is counted after', () => {
    const { counter, update } = withRange(65_000)
    update(0)
    update(700)
    update((700 + 70_000) % 65_000, 100)
    const { value, low, high } = counter.total
    update(((700 + 70_000) % 65_000) + 50)
    expect(counter.total).toEqual({ value: value + 50, low: low + 50, high: high + 50 })
  })
})

test('whatever the power, reads often enough give back what was spent', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2000, max: 300_000 }),
      fc.nat({ max: 300_000 }),
      fc.array(
        fc.record({
          time: fc.double({ min: 0.001, max: 1.9, noNaN: true }),
          load: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      ),
      (range, start, steps) => {
        const { counter, update } = withRange(range)
        let raw = start % range
        update(raw)
        let spent = 0
        for (const { time, load } of steps) {
          const energy = load * time * maxPower
          spent += energy
          raw = (raw + energy) % range
          const before = counter.energy
          update(raw, time)
          expect(counter.energy).toBeGreaterThanOrEqual(before)
        }
        expect(counter.energy).toBeCloseTo(spent, 4)
        const { value, low, high } = counter.total
        expect([low, high]).toEqual([value, value])
      },
    ),
  )
})

test('whatever it is given, it never decreases and its interval holds its value', () => {
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
      fc.array(
        fc.record({
          raw: fc.double({ min: 0, max: 1000, noNaN: true }),
          time: fc.double({ min: 0, max: 50, noNaN: true }),
          resumed: fc.boolean(),
        }),
      ),
      (range, values) => {
        const { counter, update } = withRange(range)
        let before = counter.total
        for (const { raw, time, resumed } of values) {
          update(range === undefined ? raw : raw % range, time, resumed)
          const { value, low, high } = counter.total
          expect(value).toBeGreaterThanOrEqual(before.value)
          expect(low).toBeGreaterThanOrEqual(before.low)
          expect(high).toBeGreaterThanOrEqual(before.high)
          expect(low).toBeLessThanOrEqual(value + 1e-6)
          expect(high).toBeGreaterThanOrEqual(value - 1e-6)
          before = counter.total
        }
      },
    ),
  )
})

test('a value of nothing for one reading, and then the old one again, is a gap and no energy', () => {
  const counter = new WrappingCounter({ range: joules(262_143), maxPower: watts(1000) })
  counter.update(joules(200_000), seconds(0))
  expect(counter.update(joules(0), seconds(1))).toBe('gap')
  expect(counter.update(joules(200_072), seconds(2))).toBe('counted')
  expect(counter.energy).toBe(72)
})

describe('a rise beyond any possible power', () => {
  test('and any fall are doubted before they are taken, so that they can be looked at twice', () => {
    const { counter, update } = withRange(65_000)
    update(100)
    expect(counter.isDoubtful(joules(1900), seconds(52))).toBe(false)
    expect(counter.isDoubtful(joules(30_000), seconds(52))).toBe(true)
    expect(counter.isDoubtful(joules(50), seconds(52))).toBe(true)
  })

  test('is counted, and the interval begins without it', () => {
    const { counter, update } = withRange(65_000)
    update(100)
    update(150)
    expect(update(30_150)).toBe('jumped')
    expect(counter.total).toEqual({ value: 30_050, low: 50, high: 30_050 })
  })

  test('is what a machine has used while it slept', () => {
    const { counter, update } = withRange(65_000)
    update(100)
    expect(update(30_100, 1, true)).toBe('counted')
    expect(counter.total).toEqual({ value: 30_000, low: 30_000, high: 30_000 })
  })
})

test('a value of nothing near the end of the range, which looks like a wrap, is taken back by what follows', () => {
  const { counter, update } = withRange(65_532)
  update(65_032)
  update(65_052)
  update(0)
  update(65_092)
  const afterwards = counter.energy
  update(65_112)
  update(65_500)
  // Nothing decreases; what was counted for the misreading is set off until the sum is right.
  expect(afterwards).toBeLessThanOrEqual(500)
  expect(counter.energy).toBe(Math.max(500, 65_500 - 65_032))
  update(518, 1)
  expect(counter.energy).toBe(65_532 + 518 - 65_032)
})
