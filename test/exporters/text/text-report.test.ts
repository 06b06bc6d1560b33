import { describe, expect, it } from 'vitest'
import { renderTextReport } from '../../../src/exporters/text/text-report.ts'
import { accounted, recordOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'

const plain = { comparisons: [], advice: [] }
const gap = {
  code: 'ERR_PROBE_READ',
  subject: 'package-0',
  message: 'package-0: EIO: i/o error, read',
  count: 2,
  gap: 1.9,
} as never

describe('the report for people', () => {
  it('is what it was: the golden file', async () => {
    const text = renderTextReport({
      data: recordOf({ ...accounted, problems: [gap] }),
      comparisons: ['0.2 m by car', '0.3 s of television'],
      advice: ['rapl: no permission\n    sudo chgrp …'],
      shares: ['of which the command itself 1200 J (33.3 %)'],
      csvPath: 'out/emissions.csv',
    })
    await expect(text).toMatchFileSnapshot('../../golden/report.txt')
  })

  it('says what nobody could measure, and no number for it', async () => {
    const text = renderTextReport({ data: unmeasuredRecord(), ...plain })
    await expect(text).toMatchFileSnapshot('../../golden/report-unmeasured.txt')
    expect(text).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('says of a component that it is unmeasured and not in the total', () => {
    const gpu = { component: 'gpu', method: 'unmeasured', source: undefined, basis: undefined } as never
    const text = renderTextReport({ data: recordOf({ components: [gpu] }), ...plain })
    expect(text).toMatch(/GPU +unmeasured, not in the total/)
  })

  it('gives an estimate with its interval and a measurement without one', () => {
    const lines = renderTextReport({ data: recordOf(), ...plain }).split('\n')
    expect(lines.find((line) => line.startsWith('  CPU'))).toMatch(/measured$/)
    expect(lines.find((line) => line.startsWith('  Memory'))).toMatch(/estimated \(.+ to .+\)$/)
  })

  it('says so where the machine may be anywhere', () => {
    const nowhere = recordOf({
      countryName: undefined,
      countryIsoCode: undefined,
      intensity: {
        gramsPerKwh: 473,
        scope: 'world',
        year: 2024,
        source: 'Ember',
        basis: 'lifecycle',
        quality: 'ok',
      },
    })
    expect(renderTextReport({ data: nowhere, ...plain })).toContain('world average')
  })

  it('has no colours and ends in one line end', () => {
    const text = renderTextReport({ data: recordOf(), ...plain })
    expect(text).not.toContain('\u001B')
    expect(text).toMatch(/[^\n]\n$/)
    expect(renderTextReport({ data: unmeasuredRecord(), ...plain })).toMatch(/[^\n]\n$/)
  })
})
