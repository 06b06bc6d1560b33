import { describe, expect, it } from 'vitest'
import { checkBudget, describeLine } from '../../../src/integrations/vitest/budget.ts'
import type { BudgetUse, TestBudget } from '../../../src/integrations/vitest/reporter-options.ts'
import { recordOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'
import { fileOf } from './figures.ts'

/** 3600 J, between 3240 and 3960 J; 0.044 g, between 0.04 and 0.05 g. */
const data = recordOf()
const files = [fileOf('a.test.ts'), fileOf('b.test.ts', { energyJoules: 360 })]
const check = (budget: TestBudget, uses: BudgetUse = 'low'): ReturnType<typeof checkBudget> =>
  checkBudget(budget, uses, data, files)

describe('a budget of the run', () => {
  it.each([
    [4000, 'low', 0, 0],
    [3700, 'low', 0, 0],
    [3500, 'low', 0, 1],
    [3000, 'low', 1, 0],
    [3700, 'value', 0, 0],
    [3500, 'value', 1, 0],
    [4000, 'high', 0, 0],
    [3700, 'high', 1, 0],
  ] as const)('of %d J, by %s: exceeded %d, in doubt %d', (energyJoules, uses, exceeded, doubtful) => {
    const verdict = check({ energyJoules }, uses)
    expect([verdict.exceeded.length, verdict.doubtful.length]).toEqual([exceeded, doubtful])
    expect(verdict.unknown).toEqual([])
  })

  it('of emissions is compared in grams', () => {
    expect(check({ emissionsGrams: 0.039 }).exceeded).toMatchObject([{ figure: 'emissions', limit: 0.039 }])
    expect(check({ emissionsGrams: 0.041 }).exceeded).toEqual([])
  })

  it('of exactly what was used is kept', () => {
    expect(check({ energyJoules: 3600 }, 'value').exceeded).toEqual([])
  })

  it('of nothing is a budget', () => {
    expect(check({ energyJoules: 0 }).exceeded).toHaveLength(1)
  })
})

describe('a budget of each file', () => {
  it('names the files that exceed it, with the interval of the run in proportion', () => {
    expect(check({ perFile: { energyJoules: 100 } }).exceeded).toEqual([
      {
        file: 'b.test.ts',
        figure: 'energy',
        limit: 100,
        value: 360,
        low: expect.closeTo(324, 9) as number,
        high: expect.closeTo(396, 9) as number,
      },
    ])
  })

  it('says of how many files nothing is known', () => {
    const unknown = [
      fileOf('a.test.ts', { energyJoules: undefined, emissionsGrams: undefined }),
      fileOf('b.test.ts'),
    ]
    expect(checkBudget({ perFile: { energyJoules: 100 } }, 'low', data, unknown)).toMatchObject({
      exceeded: [],
      unknown: ['1 of 2 files, of which nothing is known'],
    })
  })
})

describe('what is unmeasured', () => {
  it.each([undefined, unmeasuredRecord()])('is neither above a budget nor below it', (record) => {
    expect(checkBudget({ energyJoules: 0, emissionsGrams: 0 }, 'low', record, [])).toMatchObject({
      exceeded: [],
      doubtful: [],
      unknown: [
        'the energy of the run: nothing could be measured',
        'the emissions of the run: nothing could be measured',
      ],
    })
  })

  it('in part is named, since the total is too low then', () => {
    const [cpu] = data.components
    const gpu = { ...cpu, component: 'gpu', method: 'unmeasured', energyJoules: undefined }
    const record = recordOf({ components: [...data.components, gpu] as never })
    expect(checkBudget({ energyJoules: 5000 }, 'low', record, files).unknown).toEqual([
      'what is not in the total: gpu',
    ])
  })
})

describe('the sentence about a budget', () => {
  const describeFirst = (budget: TestBudget, uses: BudgetUse): string => {
    const { exceeded, doubtful } = check(budget, uses)
    const [line] = [...exceeded, ...doubtful]
    return line === undefined ? '' : describeLine(line, uses)
  }

  it.each([
    [{ energyJoules: 3000 }, 'low', 'energy 3600 J, at least 3240 J: 240 J (8 %) above the 3000 J allowed'],
    [{ energyJoules: 3500 }, 'low', 'energy 3600 J, at least 3240 J: perhaps above the 3500 J allowed'],
    [{ energyJoules: 3000 }, 'value', 'energy 3600 J: 600 J (20 %) above the 3000 J allowed'],
    [{ energyJoules: 0 }, 'high', 'energy 3600 J, at most 3960 J: 3960 J above the 0 J allowed'],
    [
      { perFile: { emissionsGrams: 0.0001 } },
      'value',
      'emissions of a.test.ts 0.00044 g: 0.00034 g (340 %) above the 0.0001 g allowed',
    ],
  ] as const)('says by how much (%#)', (budget, uses, sentence) => {
    expect(describeFirst(budget, uses)).toBe(sentence)
  })
})
