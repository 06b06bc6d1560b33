import { describe, expect, test } from 'vitest'
import { findCpu } from '../../../src/cpu/find-cpu.ts'
import { parseBrandString } from '../../../src/probes/macos/brand-string.ts'

test.each([
  ['Apple M2 Pro', { modelName: 'Apple M2 Pro', isVirtual: false }],
  ['Apple M1 (Virtual)', { modelName: 'Apple M1', isVirtual: true }],
  ['Apple processor', { isVirtual: true }],
  ['VirtualApple @ 2.50GHz', { isVirtual: false }],
  [
    'Intel(R) Core(TM) i9-9880H CPU @ 2.30GHz',
    { modelName: 'Intel(R) Core(TM) i9-9880H CPU @ 2.30GHz', isVirtual: false },
  ],
])('%s is read', (brand, processor) => {
  expect(parseBrandString(brand)).toEqual(processor)
})

describe('the table of processors', () => {
  const variants = ['', ' Pro', ' Max', ' Ultra']
  const known = ['M1', 'M2', 'M3', 'M4'].flatMap((generation) =>
    variants.map((variant) => `Apple ${generation}${variant}`).filter((name) => name !== 'Apple M4 Ultra'),
  )

  test.each(known)('knows the %s by the name that macOS gives it, and no other', (brand) => {
    const part = findCpu(parseBrandString(brand).modelName ?? '')
    expect(part?.name).toBe(brand)
    expect(part?.tdpWatts).toBeGreaterThanOrEqual(15)
    expect(part?.tdpWatts).toBeLessThanOrEqual(140)
  })

  test('takes no new chip for an older one', () => {
    for (const brand of ['Apple M5', 'Apple M5 Pro', 'Apple M4 Ultra', 'Apple M10', 'Apple M']) {
      expect(findCpu(brand)).toBeUndefined()
    }
  })
})
