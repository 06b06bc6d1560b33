import { describe, expect, test } from 'vitest'

/** @param {number} limit */
function primesBelow(limit) {
  const isComposite = new Uint8Array(limit)
  const primes = []
  for (let n = 2; n < limit; n += 1) {
    if (isComposite[n] === 1) continue
    primes.push(n)
    for (let multiple = n * n; multiple < limit; multiple += n) isComposite[multiple] = 1
  }
  return primes
}

describe('primes', () => {
  test('begin with 2, 3, 5, 7', () => {
    expect(primesBelow(10)).toEqual([2, 3, 5, 7])
  })

  test('below 20 million are 1,270,607', () => {
    expect(primesBelow(20_000_000)).toHaveLength(1_270_607)
  })
})
