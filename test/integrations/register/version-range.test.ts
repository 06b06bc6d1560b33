import { expect, it } from 'vitest'
import { isInRange } from '../../../src/integrations/register/version-range.ts'

it.each([
  ['4.0.0', '>=4 <7', true],
  ['6.99.1', '>=4 <7', true],
  ['7.0.0', '>=4 <7', false],
  ['3.9.9', '>=4 <7', false],
  ['5.0.0-beta.1', '>=5', true],
  ['5.2.1+build', '>5.2 <=5.2.1', true],
  ['2.4.0', '^2.1 || ^3', true],
  ['2.0.9', '^2.1 || ^3', false],
  ['0.3.9', '^0.3.1', true],
  ['0.4.0', '^0.3.1', false],
  ['1.2.9', '~1.2.3', true],
  ['1.3.0', '~1.2.3', false],
  ['1.3.0', '1.3', true],
  ['1.3.0', '1.2', false],
  ['9.9.9', '*', true],
])('%s is in %s: %s', (version, range, expected) => {
  expect(isInRange(version, range)).toBe(expected)
})
