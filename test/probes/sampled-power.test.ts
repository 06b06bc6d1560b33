import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seconds, watts } from '../../src/core/units.ts'
import { SampledPower } from '../../src/probes/sampled-power.ts'

/** Looks at a card that renews what it shows every `period`, as often as the card's pace, so far as it is known, asks for. */
function watch(power: (at: number) => number, period: number, until: number): SampledPower {
  const sampled = new SampledPower()
  for (let at = 0; at <= until; at += sampled.period / 2) {
    sampled.look(watts(power(Math.floor(at / period + 1e-9) * period)), seconds(at))
  }
  return sampled
}

describe('the power that a card shows', () => {
  test('constant, is that power for all the time', () => {
    // Up to a refresh period of it is still to come.
    expect(Math.abs(watch(() => 70, 0.1, 100).energy.value - 7000)).toBeLessThan(70 * 0.11)
  })

  test('rising from a long rest, counts the rest as rest', () => {
    const { energy } = watch((at) => (at < 50 ? 60 : 300), 0.1, 60)
    expect(Math.abs(energy.value - (50 * 60 + 10 * 300))).toBeLessThan(0.1 * 240)
  })

  test.each([0.02, 0.05, 0.1, 0.5])(
    'is looked at twice in its refresh period, which is found to be %d s',
    (period) => {
      const { period: found } = watch((at) => 200 + 100 * Math.sin(at * 3), period, 60)
      expect(found).toBeGreaterThan(period * 0.7)
      expect(found).toBeLessThan(period * 1.6)
    },
  )

  test('that changes seldom is not taken for one that is renewed seldom', () => {
    const { period } = watch((at) => 60 + (Math.floor(at / 30) % 2), 0.1, 1200)
    expect(period).toBeLessThanOrEqual(1)
  })

  test('is off by a refresh period at each change at most, whatever it was', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.02, 0.05, 0.1),
        fc.array(fc.integer({ min: 20, max: 700 }), { minLength: 3, maxLength: 12 }),
        (period, steps) => {
          const { energy } = watch(
            (at) => steps[Math.min(steps.length - 1, Math.floor(at / 10))]!,
            period,
            steps.length * 10,
          )
          const truth = steps.reduce((sum, power) => sum + power * 10, 0)
          const unknown = steps.length * 0.1 * 700
          expect(Math.abs(energy.value - truth)).toBeLessThan(unknown)
        },
      ),
    )
  })

  test('looked at again in its refresh period, counts nothing twice', () => {
    const sampled = new SampledPower()
    sampled.look(watts(100), seconds(0))
    sampled.look(watts(100), seconds(1))
    for (let look = 0; look < 10; look += 1) sampled.look(watts(100), seconds(1 + look / 1000))
    expect(sampled.energy.value).toBe(100)
  })

  test('not told for a while, is a gap', () => {
    const sampled = new SampledPower()
    sampled.look(watts(100), seconds(0))
    sampled.look(watts(100), seconds(1))
    sampled.skip()
    sampled.look(watts(100), seconds(11))
    sampled.look(watts(100), seconds(12))
    expect(sampled.energy.value).toBe(200)
  })
})
