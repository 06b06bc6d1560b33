import { describe, expect, it } from 'vitest'
import { ecologitsFactor } from '../../../src/integrations/model-calls/ecologits-factor.ts'
import { publishedFactors } from '../../../src/integrations/model-calls/published-factors.ts'
import { estimateRemote, toFactor } from '../../../src/integrations/model-calls/remote-factor.ts'

const factor = { name: 'ours', source: 'a paper, 2025', energyJoulesPerOutputToken: 2, low: 1, high: 4 }

describe('a factor', () => {
  it('times output tokens is energy with its interval, and emissions where it has a carbon intensity', () => {
    expect(estimateRemote({ ...factor, gramsPerKwh: 360 }, 1000)).toEqual({
      method: 'estimated',
      factor: 'ours',
      source: 'a paper, 2025',
      energyJoules: 2000,
      energyLowJoules: 1000,
      energyHighJoules: 4000,
      emissionsGrams: 0.2,
      emissionsLowGrams: 0.1,
      emissionsHighGrams: 0.4,
    })
    expect(estimateRemote(factor, 0)).toMatchObject({ energyJoules: 0, emissionsGrams: undefined })
  })

  it.each(Object.entries(publishedFactors))(
    'that is published is named, %s, and well formed',
    (name, one) => {
      expect(toFactor(name)).toBe(one)
      expect(toFactor(one)).toMatchObject({ name })
      expect(one.source).toMatch(/\(20\d\d.*\)/)
    },
  )

  it.each<[unknown, string]>([
    [7, 'expected a factor, the name of a published one, or a function'],
    ['samsi-llama-56b', 'did you mean "samsi-llama-65b"?'],
    ['toString', 'there are ml-energy'],
    [{ ...factor, source: '' }, 'source: expected a text'],
    [{ ...factor, low: -1 }, 'low: expected a number from 0'],
    [{ ...factor, high: NaN }, 'high: expected a number from 0'],
    [{ ...factor, low: 3 }, 'low <= energyJoulesPerOutputToken <= high'],
    [{ ...factor, gramsPerKWh: 1 }, 'there is no "gramsPerKWh"; did you mean "gramsPerKwh"?'],
  ])('is refused: %j', (given, message) => {
    expect(() => toFactor(given)).toThrow(`option remoteFactor: `)
    expect(() => toFactor(given)).toThrow(message)
  })
})

describe('the factor by the method of EcoLogits', () => {
  // What EcoLogits 0.11.3 itself makes of 1000 output tokens at a PUE of 1.2: `compute_llm_impacts_dag(…)['request_energy']`, in J for each token.
  it.each([
    [8, 8, 0.3209493043911194],
    [24, 24, 0.39084008869022513],
    [40, 400, 7.371693967829293],
  ])('of %f billion parameters of %f is what EcoLogits says', (active, total, expected) => {
    const factor = ecologitsFactor({ activeParametersBillions: active, totalParametersBillions: total })
    expect(factor.energyJoulesPerOutputToken / expected).toBeCloseTo(1, 4)
    expect(factor.low).toBeLessThan(expected)
    expect(factor.high).toBe(5 * factor.energyJoulesPerOutputToken)
  })

  it('names its model, and has the carbon intensity that it is given', () => {
    const factor = ecologitsFactor({
      activeParametersBillions: 40,
      totalParametersBillions: 400,
      pue: 1.1,
      gramsPerKwh: 30,
    })
    expect(toFactor(factor)).toMatchObject({ name: 'ecologits-40b', gramsPerKwh: 30 })
    expect(factor.source).toContain('40 billion active parameters of 400, 16 NVIDIA H100, PUE 1.1')
  })

  it.each([
    { activeParametersBillions: 0 },
    { activeParametersBillions: 8, totalParametersBillions: 7 },
    { activeParametersBillions: NaN },
    { activeParametersBillions: 8, pue: 0.9 },
  ])('refuses %j', (model) => {
    expect(() => ecologitsFactor(model)).toThrow('ecologitsFactor: ')
  })
})
