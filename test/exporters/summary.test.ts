import { expect, it } from 'vitest'
import { toSummary } from '../../src/exporters/summary.ts'
import { accounted, recordOf, unmeasuredRecord } from '../fixtures/csv/records.ts'

const base = {
  startedAtMs: Date.UTC(2026, 7, 8, 11, 58),
  exitCode: 3,
  csvPath: 'out/emissions.csv',
  command: { energyJoules: 1200, emissionsGrams: 0.014 },
}
const gap = {
  code: 'ERR_PROBE_READ',
  subject: 'package-0',
  message: 'package-0: EIO: i/o error, read',
  count: 2,
  gap: 1.9,
} as never

it('is what it was: the golden file', async () => {
  const text = JSON.stringify(
    toSummary({ ...base, data: recordOf({ ...accounted, problems: [gap] }) }),
    undefined,
    2,
  )
  await expect(`${text}\n`).toMatchFileSnapshot('../golden/summary.json')
})

it('says null where nobody could tell, and leaves no key out', async () => {
  const summary = toSummary({ ...base, data: unmeasuredRecord(), csvPath: undefined, command: undefined })
  const text = JSON.stringify(summary, undefined, 2)
  await expect(`${text}\n`).toMatchFileSnapshot('../golden/summary-unmeasured.json')
  const keys = (value: object): string[] => Object.keys(value).toSorted()
  expect(keys(JSON.parse(text) as object)).toEqual(keys(toSummary({ ...base, data: recordOf() })))
})

it('says 0 where something was zero', () => {
  const data = recordOf({ emissions: 0, energyConsumed: 0, measuredShare: 0 })
  expect(toSummary({ ...base, data, exitCode: 0 })).toMatchObject({
    exit_code: 0,
    energy_kwh: 0,
    measured_share: 0,
    emissions: { kg: 0 },
  })
})
