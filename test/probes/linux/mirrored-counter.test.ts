import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joules, type Joules } from '../../../src/core/units.ts'
import { showsOneCounter } from '../../../src/probes/linux/mirrored-counter.ts'

const never = (): Joules => {
  throw new Error('it was read again without need')
}

test('two values within one refresh of the hardware are of one counter', () => {
  expect(showsOneCounter(joules(7000.5), joules(7000), never, joules(65_000))).toBe(true)
})

test('a pause between the two reads parts nothing: the second value lies between the first and the first read again', () => {
  const again = (): Joules => joules(7031)
  expect(showsOneCounter(joules(7030), joules(7000), again, joules(65_000))).toBe(true)
  expect(showsOneCounter(joules(7040), joules(7000), again, joules(65_000))).toBe(false)
  expect(showsOneCounter(joules(6990), joules(7000), again, joules(65_000))).toBe(false)
})

test('where the first cannot be read again nothing is decided', () => {
  expect(showsOneCounter(joules(7030), joules(7000), () => undefined, undefined)).toBe(true)
})

test('one counter is seen as one, whatever the pauses and wherever it wraps', () => {
  const range = 65_000
  fc.assert(
    fc.property(
      fc.nat({ max: range }),
      fc.double({ min: 0, max: 10_000, noNaN: true }),
      fc.double({ min: 0, max: 10_000, noNaN: true }),
      (start, first, second) => {
        const at = (energy: number): Joules => joules((start + energy) % range)
        expect(showsOneCounter(at(first), at(0), () => at(first + second), joules(range))).toBe(true)
      },
    ),
  )
})
