import { expect, it } from 'vitest'
import { ScopeTotals } from '../../src/core/scope-totals.ts'
import type { ScopeRecord } from '../../src/core/scope-record.ts'

const record = (name: string, durationSeconds = 1): ScopeRecord => ({
  name,
  kind: 'job',
  labels: {},
  outcome: 'ok',
  attribution: 'shared',
  isNested: false,
  endedAtMs: 0,
  durationSeconds,
  energyJoules: 1,
  emissionsGrams: 1,
  functionalUnits: undefined,
  trace: undefined,
})

it('add up durations', () => {
  const totals = new ScopeTotals()
  totals.add(record('mail', 2))
  totals.add(record('mail', 3))
  expect(totals.list()).toMatchObject([{ name: 'mail', count: 2, durationSeconds: 5 }])
})

it('have a hundred names, and one for all others', () => {
  const totals = new ScopeTotals()
  for (let index = 0; index < 300; index += 1) totals.add(record(`job ${index}`))
  const counts = totals.list().map(({ count }) => count)
  expect(counts).toHaveLength(101)
  expect(Math.max(...counts)).toBe(200)
})
