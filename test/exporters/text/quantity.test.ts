import { expect, it } from 'vitest'
import {
  formatDuration,
  formatEnergy,
  formatMass,
  formatPower,
  formatRange,
  formatShare,
} from '../../../src/exporters/text/quantity.ts'

it.each([
  [0, '0 J'],
  [0.0042, '4.20 mJ'],
  [1, '1.00 J'],
  [359, '359 J'],
  [3600, '1.00 Wh'],
  [3.6e6, '1.00 kWh'],
  [7.2e9, '2.00 MWh'],
])('writes an energy of %d J as %s', (joules, text) => {
  expect(formatEnergy(joules)).toBe(text)
})

it.each([
  [0, '0 g'],
  [4.4e-5, '44.0 µg'],
  [0.058, '58.0 mg'],
  [1, '1.00 g'],
  [1234, '1.23 kg'],
  [2e6, '2.00 t'],
])('writes a mass of %d g as %s', (grams, text) => {
  expect(formatMass(grams)).toBe(text)
})

it.each([
  [0, '0 W'],
  [0.5, '500 mW'],
  [11.23, '11.2 W'],
  [284.4, '284 W'],
  [99.96, '100 W'],
  [2500, '2.50 kW'],
])('writes a power of %d W as %s', (watts, text) => {
  expect(formatPower(watts)).toBe(text)
})

it.each([
  [0, '0 s'],
  [0.05, '50.0 ms'],
  [0.9996, '1.00 s'],
  [8, '8 s'],
  [28.43, '28.4 s'],
  [59.94, '59.9 s'],
  [59.96, '1 min 00 s'],
  [192, '3 min 12 s'],
  [3599.6, '1 h 00 min'],
  [7500, '2 h 05 min'],
])('writes a time of %d s as %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text)
})

it.each([
  [0, '0 %'],
  [0.0001, 'less than 0.1 %'],
  [0.456, '45.6 %'],
  [0.9999, 'more than 99.9 %'],
  [1, '100 %'],
])('writes a share of %d as %s', (share, text) => {
  expect(formatShare(share)).toBe(text)
})

it('writes both ends of an interval in the unit of the larger one', () => {
  expect(formatRange(1116, 2088, 'energy')).toBe('0.310 to 0.580 Wh')
  expect(formatRange(0, 0.05, 'mass')).toBe('0 to 50.0 mg')
})
