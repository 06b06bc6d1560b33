import { describe, expect, it } from 'vitest'
import { ModelCallTotals, mostModels } from '../../src/core/model-calls.ts'

const call = { provider: 'acme', model: 'small-1' }

describe('calls of models', () => {
  it('are added up by provider and model', () => {
    const totals = new ModelCallTotals()
    totals.add({ ...call, inputTokens: 1, outputTokens: 2, remoteEnergyJoules: 4, remoteEmissionsGrams: 8 })
    totals.add({ ...call, inputTokens: 1, outputTokens: 2, remoteEnergyJoules: 4, remoteEmissionsGrams: 8 })
    totals.add({ ...call, provider: 'other', inputTokens: 5 })
    expect(totals.list()).toEqual([
      { ...call, inputTokens: 2, outputTokens: 4, remoteEnergyJoules: 8, remoteEmissionsGrams: 16 },
      { provider: 'other', model: 'small-1', inputTokens: 5 },
    ])
  })

  it('of which something is not known take nothing from what is', () => {
    const totals = new ModelCallTotals()
    totals.add(call)
    expect(totals.list()).toEqual([call])
    totals.add({ ...call, outputTokens: 3, remoteEnergyJoules: 6 })
    totals.add({ ...call, inputTokens: 0 })
    totals.add({ ...call, outputTokens: NaN, inputTokens: -1, remoteEnergyJoules: Infinity })
    totals.add({ ...call, outputTokens: 1n })
    expect(totals.list()).toEqual([{ ...call, inputTokens: 0, outputTokens: 3, remoteEnergyJoules: 6 }])
  })

  it('are told under a bounded number of names of a bounded length, and all are counted', () => {
    const totals = new ModelCallTotals()
    const count = 3 * mostModels
    for (let index = 0; index < count; index += 1)
      totals.add({ provider: 'acme', model: `${index} ${'x'.repeat(1000)}`, outputTokens: 2 })
    const list = totals.list()
    expect(list).toHaveLength(mostModels + 1)
    expect(list.at(-1)).toMatchObject({ provider: '_other', model: '_other' })
    expect(list.reduce((sum, { outputTokens = 0 }) => sum + outputTokens, 0)).toBe(2 * count)
    for (const { model } of list) expect(model.length).toBeLessThanOrEqual(128)
  })

  it('have one series where their names are written alike', () => {
    const totals = new ModelCallTotals()
    for (const half of ['\uD83D', '\uD83E']) totals.add({ provider: 'acme', model: half, inputTokens: 1 })
    expect(totals.list()).toEqual([{ provider: 'acme', model: '\uFFFD', inputTokens: 2 }])
  })

  it('without names, or what is no call, are not counted', () => {
    const totals = new ModelCallTotals()
    for (const wrong of [undefined, null, 7, 'acme', {}, { provider: 'acme' }, { provider: '', model: 'a' }])
      totals.add(wrong)
    expect(totals.list()).toEqual([])
  })
})
