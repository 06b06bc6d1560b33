import { expect, test } from 'vitest'
import {
  energyOver,
  fromKilowattHours,
  fromMicrojoules,
  fromMicrowatts,
  fromMilliwatts,
  fromPicowatts,
  grams,
  gramsAt,
  joules,
  powerOver,
  ratio,
  seconds,
  toGibibytes,
  toKilograms,
  toKilowattHours,
  watts,
} from '../../src/core/units.ts'

// By definition: 1 kWh = 1000 W × 3600 s.
const joulesPerKwh = 1000 * 3600

test.each([0, 1, 100, 1e6, 3_600_000_000_000, 52_649_883_221])(
  '%d µJ are a millionth of it in joules',
  (value) => {
    expect(fromMicrojoules(value)).toBe(value / 1_000_000)
    expect(toKilowattHours(fromMicrojoules(value))).toBeCloseTo(value / 1_000_000 / joulesPerKwh, 12)
  },
)

test('powers as the files of a kernel have them are watts', () => {
  // 15 W in microwatts, in milliwatts, and as 12 V in microvolts times 1.25 A in microamperes.
  expect([fromMicrowatts(15_000_000), fromMilliwatts(15_000), fromPicowatts(12_000_000 * 1_250_000)]).toEqual(
    [15, 15, 15],
  )
})

test('the kilowatt-hour is exact, not rounded to some decimals', () => {
  expect(toKilowattHours(joules(joulesPerKwh))).toBe(1)
  expect(fromKilowattHours(0.25)).toBe(joulesPerKwh / 4)
})

test.each([
  [100, 3600],
  [0, 10],
  [42.5, 1],
  [10, 0.05],
])('%d W over %d s are their product in joules', (power, time) => {
  const energy = energyOver(watts(power), seconds(time))
  expect(energy).toBe(power * time)
  expect(powerOver(energy, seconds(time))).toBeCloseTo(power, 12)
})

test('over no time there is no power, not a power of zero', () => {
  expect(powerOver(joules(5), seconds(0))).toBeUndefined()
  expect(powerOver(joules(0), seconds(0))).toBeUndefined()
})

test.each([0, 56.039, 475])('a kilowatt-hour at %d g/kWh makes as many grams', (intensity) => {
  expect(gramsAt(joules(joulesPerKwh), intensity)).toBeCloseTo(intensity, 12)
})

test('kilograms and gibibytes are exact', () => {
  expect(toKilograms(grams(475))).toBe(0.475)
  expect(toGibibytes(1024 ** 3 * 16)).toBe(16)
})

test.each([
  [-0.2, 0],
  [0.3, 0.3],
  [1.7, 1],
])('a ratio of %d is held at %d', (value, expected) => {
  expect(ratio(value)).toBe(expected)
})
