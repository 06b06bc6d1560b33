import { expect, test } from 'vitest'
import { parseHeader, parseRow } from '../../../src/probes/power-gadget/power-gadget-log.ts'
import { header, row, summary } from '../../fixtures/power-gadget.ts'

test.each(['', '"'])('columns of energy are found by name, quoted with %s', (quote) => {
  const columns = parseHeader(header(quote))
  expect([...columns.values()]).toEqual([
    { domain: 'package-0', kind: 'package', component: 'cpu' },
    { domain: 'core-0', kind: 'core', component: 'cpu', parent: 'package-0' },
    { domain: 'dram-0', kind: 'dram', component: 'ram' },
  ])
  expect([...(parseRow(row(100, 7, quote), columns) ?? [])]).toEqual([
    ['package-0', 100],
    ['core-0', 75],
    ['dram-0', 7],
  ])
})

test('two sockets are two packages', () => {
  const columns = parseHeader('Cumulative Processor Energy_0(Joules),Cumulative Processor Energy_1(Joules)\r')
  expect([...columns.values()].map(({ domain }) => domain)).toEqual(['package-0', 'package-1'])
  expect([...(parseRow(' 1.5 , 2.5\r', columns)?.values() ?? [])]).toEqual([1.5, 2.5])
})

test('the header of something else has no columns', () => {
  expect(parseHeader('timestamp,project_name,cpu_energy').size).toBe(0)
})

test('the summary at the end, half a row, and a row without a number are no rows', () => {
  const columns = parseHeader(header())
  for (const line of summary.split('\n')) expect(parseRow(line, columns)).toBeUndefined()
  for (const line of [
    '',
    row(100).slice(0, 60),
    row(100).replace('100.000', ''),
    row(100).replace('100.000', '-'),
  ]) {
    expect(parseRow(line, columns)).toBeUndefined()
  }
})
