import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parsePowermetrics } from '../../../src/probes/macos/powermetrics-sample.ts'

const recorded = (name: string): string =>
  readFileSync(new URL(`../../fixtures/macos/${name}.plist`, import.meta.url), 'utf8')

test('Apple silicon tells the power of CPU, GPU and neural engine, and their window', () => {
  const sample = parsePowermetrics(recorded('apple-silicon'))
  expect(sample?.elapsed).toBeCloseTo(0.502_345_678, 9)
  expect([...(sample?.powers ?? [])]).toEqual([
    ['cpu', 8.36875],
    ['gpu', 1.25025],
    ['ane', 0.3205],
  ])
})

test('its parts add up to what it calls combined: none holds another', () => {
  const sample = parsePowermetrics(recorded('apple-silicon'))
  const sum = [...(sample?.powers.values() ?? [])].reduce((total, power) => total + power, 0)
  expect(sum).toBeCloseTo(9.9395, 6)
})

test('where only energies are told, power is energy over the window; memory is left out', () => {
  expect([...(parsePowermetrics(recorded('apple-silicon-energy-only'))?.powers ?? [])]).toEqual([
    ['cpu', 0.742],
    ['gpu', 0.026],
    ['ane', 0],
  ])
})

test('a Mac with an Intel processor tells its package', () => {
  const sample = parsePowermetrics(recorded('intel'))
  expect([...(sample?.powers ?? [])]).toEqual([['package-0', 18.53]])
})

test('a package whose power is not told has it from its energy', () => {
  const text = recorded('intel').replace('<key>package_watts</key><real>18.53</real>', '')
  expect(parsePowermetrics(text)?.powers.get('package-0')).toBeCloseTo(9.265 / 0.5, 9)
})

test.each([
  ['no window', recorded('intel').replace('elapsed_ns', 'elapsed')],
  ['a window of no time', recorded('intel').replace('500000000', '0')],
  ['no processor', recorded('intel').replace('<key>processor', '<key>cpu')],
  ['no power', recorded('intel').replaceAll(/package_(joules|watts)/g, 'other')],
  ['its first half', recorded('apple-silicon').slice(0, 1500)],
  ['nothing', ''],
])('a document with %s is no sample', (_, text) => {
  expect(parsePowermetrics(text)).toBeUndefined()
})
