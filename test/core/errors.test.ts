import { expect, test } from 'vitest'
import { ConfigError, EnergyError, errorCodes, messageOf, ProbeUnavailable } from '../../src/core/errors.ts'

test.each(errorCodes)('an error of code %s is an error with that code, a name and its cause', (code) => {
  const cause = new Error('below')
  const error = new EnergyError(code, 'what was wrong', { cause })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'EnergyError', code, message: 'what was wrong', cause })
})

test('a wrong option has the code of wrong options', () => {
  const error = new ConfigError('expected a number')
  expect(error).toBeInstanceOf(EnergyError)
  expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_OPTION_INVALID' })
})

test('a refusal of a probe says what would help', () => {
  const error = new ProbeUnavailable('no permission', 'sudo chmod')
  expect(error).toBeInstanceOf(EnergyError)
  expect(error).toMatchObject({
    name: 'ProbeUnavailable',
    code: 'ERR_PROBE_UNAVAILABLE',
    remedy: 'sudo chmod',
  })
})

test.each([
  [new Error('a reason'), 'a reason'],
  ['a text', 'a text'],
  [undefined, 'undefined'],
])('anything that was thrown has a text', (thrown, text) => {
  expect(messageOf(thrown)).toBe(text)
})

test('codes are listed once', () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length)
})
