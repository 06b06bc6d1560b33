import { describe, expect, test } from 'vitest'

describe('sorting', () => {
  test('keeps every number', () => {
    const numbers = Array.from({ length: 1_000_000 }, (_, index) => (index * 7919) % 1_000_003)
    const sorted = numbers.toSorted((a, b) => a - b)
    expect(sorted).toHaveLength(numbers.length)
    expect(sorted[0]).toBeLessThanOrEqual(sorted.at(-1) ?? -1)
  })
})
