import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBatches, toKey, toParameter, toTag } from '../../../src/integrations/mlflow/batches.ts'

const metric = (index: number) => ({ key: `k${index}`, value: index, timestamp: 1_764_000_000_000, step: 1 })

describe('what is sent to MLflow at once', () => {
  it('is no more than its limits allow, and nothing is lost', () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 900 })
    fc.assert(
      fc.property(fc.nat(3500), fc.array(fc.tuple(words, words), { maxLength: 250 }), (points, pairs) => {
        const metrics = Array.from({ length: points }, (_, index) => metric(index))
        const params = pairs.map(([key, value]) => toParameter(key, value))
        const tags = pairs.map(([key, value]) => toTag(toKey(key), value.repeat(20)))
        const batches = toBatches({ metrics, params, tags })
        for (const batch of batches) {
          const { metrics: m, params: p, tags: t } = batch
          expect(m.length).toBeLessThanOrEqual(1000)
          expect(p.length).toBeLessThanOrEqual(100)
          expect(t.length).toBeLessThanOrEqual(100)
          expect(m.length + p.length + t.length).toBeGreaterThan(0)
          const asPython = JSON.stringify(batch).replace(/[^\0-\x7f]/g, '\\u0000')
          expect(asPython.length).toBeLessThan(1e6)
        }
        expect(batches.flatMap(({ metrics: m }) => m)).toEqual(metrics)
        expect(batches.flatMap(({ params: p }) => p)).toEqual(params)
        expect(batches.flatMap(({ tags: t }) => t)).toEqual(tags)
      }),
      { numRuns: 30 },
    )
  })

  it('has keys that each server takes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 3 }), (parts) => {
        const key = toKey(...parts)
        expect(key).toMatch(/^[\p{L}\p{N}_\-. /]+$/u)
        expect(Buffer.from(key).toString()).toBe(key)
        expect(key.length).toBeLessThanOrEqual(250)
        for (const part of key.split('/')) expect(['', '.', '..']).not.toContain(part)
      }),
    )
    expect(toKey('task', 'epoch 3: résumé/..')).toBe('task/epoch 3_ résumé_..')
    expect(toKey('task', '..')).toBe('task/_')
  })

  it('has values that are cut between characters', () => {
    expect(toParameter('a', 'x'.repeat(600)).value).toHaveLength(500)
    expect(toParameter('a', `${'x'.repeat(498)}😀${'x'.repeat(9)}`).value).toBe(`${'x'.repeat(498)}…`)
    expect(toTag('a', 'x'.repeat(6000)).value).toHaveLength(5000)
  })
})
