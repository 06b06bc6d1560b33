import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exactly, mapEstimate } from '../../src/core/estimate.ts'
import { Integrator } from '../../src/core/integrator.ts'
import { seconds, watts } from '../../src/core/units.ts'

test('a power held for a time is their product, with its interval', () => {
  const integrator = new Integrator()
  integrator.hold({ value: watts(40), low: watts(20), high: watts(55) }, seconds(2))
  integrator.hold(exactly(watts(10)), seconds(0.5))
  expect(integrator.energy).toEqual({ value: 85, low: 45, high: 115 })
})

test('no time, or time that runs backwards, adds nothing', () => {
  const integrator = new Integrator()
  integrator.hold(exactly(watts(40)), seconds(0))
  integrator.hold(exactly(watts(40)), seconds(-3))
  expect(integrator.energy.value).toBe(0)
})

test('the first sample only sets the starting point', () => {
  const integrator = new Integrator()
  integrator.sample(watts(300), seconds(1000))
  expect(integrator.energy.value).toBe(0)
})

test('between two samples lies a trapezium', () => {
  const integrator = new Integrator()
  integrator.sample(watts(100), seconds(10))
  integrator.sample(watts(200), seconds(14))
  expect(integrator.energy.value).toBe(((100 + 200) / 2) * 4)
})

test('a straight line is integrated exactly, however it is sampled', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 30 }),
      (times) => {
        const power = (at: number): number => 50 + 2 * at
        const integrator = new Integrator()
        const sorted = [0, ...times, 100].toSorted((a, b) => a - b)
        for (const at of sorted) integrator.sample(watts(power(at)), seconds(at))
        expect(integrator.energy.value).toBeCloseTo(((power(0) + power(100)) / 2) * 100, 6)
      },
    ),
  )
})

test('what is skipped is a gap and not energy', () => {
  const integrator = new Integrator()
  integrator.sample(watts(100), seconds(0))
  integrator.sample(watts(100), seconds(1))
  integrator.skip()
  integrator.sample(watts(100), seconds(50))
  integrator.sample(watts(100), seconds(51))
  expect(integrator.energy.value).toBe(200)
})

test('two samples at one moment add nothing', () => {
  const integrator = new Integrator()
  integrator.sample(watts(100), seconds(3))
  integrator.sample(watts(500), seconds(3))
  integrator.sample(watts(500), seconds(4))
  expect(integrator.energy.value).toBe(500)
})

test('the three numbers of an estimate change together', () => {
  const doubled = mapEstimate({ value: watts(2), low: watts(1), high: watts(4) }, (power) => watts(power * 2))
  expect(doubled).toEqual({ value: 4, low: 2, high: 8 })
})
