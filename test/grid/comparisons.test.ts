import { describe, expect, it } from 'vitest'
import { compare } from '../../src/grid/comparisons.ts'

const texts = (grams: number, intensity?: number): string[] =>
  compare(grams, intensity).map(({ text }) => text)

describe('a comparison', () => {
  it('follows from the cited figures', () => {
    // 0.393 kg/mile over 1.609344 km; 0.1 kWh/h at 50 g/kWh; 4798 kg in 365.25 days; 12.4 g a charge
    expect(texts(1000, 50)).toEqual([
      '4.1 km in an average US passenger car',
      '8.33 days of a 100 W television',
      "1.83 hours of an average US home's electricity",
      '80.6 smartphone charges',
    ])
    const [car, , home, phone] = compare(1000, 50)
    expect(car?.quantity).toBeCloseTo(1000 / (393 / 1.609344), 4)
    expect(home?.quantity).toBeCloseTo((1000 / 4798000) * 365.25 * 24, 6)
    expect(phone?.quantity).toBeCloseTo(1000 / 12.4, 6)
  })

  it.each([
    [1e-6, ['4.1 µm', '720 microseconds', '6.58 microseconds', '80.6 billionths of a smartphone charge']],
    [1, ['4.1 m', '12 minutes', '6.58 seconds', '8.06% of a smartphone charge']],
    [1e6, ['4,100 km', '22.8 years', '76.1 days', '80,600 smartphone charges']],
    [1e12, ['4.1 billion km', '22.8 million years', '208,000 years', '80.6 billion smartphone charges']],
    [0, ['0 km', '0 seconds', '0 seconds', '0 smartphone charges']],
  ])('reads well for %d g', (grams, starts) => {
    expect(texts(grams, 50).map((text, index) => text.slice(0, starts[index]?.length))).toEqual(starts)
  })

  it('never shows an amount as nothing, nor as more digits than it has', () => {
    for (let exponent = -9; exponent <= 15; exponent += 0.37) {
      for (const { quantity, text } of compare(10 ** exponent, 50)) {
        expect(text).not.toMatch(/^0(\.0+)? |NaN|Infinity|e[+-]\d/)
        expect(quantity).toBeGreaterThan(0)
      }
    }
  })

  it('says one of a thing in the singular', () => {
    expect(texts(12.4, 50).at(-1)).toBe('1 smartphone charge')
    expect(texts(244.199 * 0.99999)[0]).toBe('1 km in an average US passenger car')
  })

  it('puts the television on the grid of the run, or of the world', () => {
    const television = (grams: number, intensity?: number): number | undefined =>
      compare(grams, intensity).find(({ key }) => key === 'television')?.quantity
    expect(television(10, 100)).toBeCloseTo(1)
    expect(television(47.294)).toBeCloseTo(1)
    expect(television(10, 0)).toBeUndefined()
  })

  it('is made of nothing but emissions', () => {
    for (const grams of [NaN, Infinity, -1]) expect(compare(grams)).toEqual([])
  })
})
