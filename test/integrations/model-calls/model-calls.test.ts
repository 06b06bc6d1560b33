import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ModelCallRecord } from '../../../src/integrations/model-calls/model-call.ts'
import { ModelCalls } from '../../../src/integrations/model-calls/model-calls.ts'
import { recordedScopes } from '../../fixtures/recorded-scopes.ts'

const factor = { name: 'ours', source: 'a paper, 2025', energyJoulesPerOutputToken: 2, low: 1, high: 4 }

describe('a call of a model', () => {
  it('is a scope of its own kind, named after the model, and told with tokens and estimate', async () => {
    const tracker = recordedScopes()
    const told: ModelCallRecord[] = []
    const calls = new ModelCalls('test', {
      tracker,
      remoteFactor: { ...factor, gramsPerKwh: 36 },
      onModelCall: (call) => void told.push(call),
    })
    const call = calls.begin('acme', 'small-1')
    tracker.machine.use(3)
    call?.end('ok', { input: 5, output: 100 })
    call?.end('error')
    await calls.flush()
    expect(tracker.lines()).toEqual(['small-1: ok'])
    expect(told).toEqual([
      {
        provider: 'acme',
        model: 'small-1',
        outcome: 'ok',
        tokens: { input: 5, output: 100 },
        local: expect.objectContaining({ kind: 'model call', labels: { provider: 'acme' } }),
        remote: expect.objectContaining({ method: 'estimated', factor: 'ours', energyJoules: 200 }),
      },
    ])
    // Its part of the time between two readings.
    expect(told[0]?.local?.energyJoules).toBeGreaterThan(0)
    expect((told[0]?.local?.energyJoules ?? NaN) + tracker.rest()).toBeCloseTo(3, 6)
  })

  it('adds nothing of its estimate to what was measured', async () => {
    const tracker = recordedScopes()
    const calls = new ModelCalls('test', { tracker, remoteFactor: factor })
    const call = calls.begin('acme', 'small-1')
    call?.end('ok', { output: 1e9 })
    expect((await tracker.records())[0]?.energyJoules).toBe(0)
    expect(calls.report()[0]?.remote?.energyJoules).toBe(2e9)
  })

  it('counts its output tokens as functional units where it is asked to', async () => {
    const tracker = recordedScopes()
    const calls = new ModelCalls('test', { tracker, countTokens: true })
    calls.begin('acme', 'small-1')?.end('ok', { output: 7 })
    calls.begin('acme', 'small-1')?.end('error')
    expect((await tracker.records()).map(({ functionalUnits }) => functionalUnits)).toEqual([7, undefined])
  })

  it('inside of another one is the same call', () => {
    const tracker = recordedScopes()
    const calls = new ModelCalls('test', { tracker })
    const outer = calls.begin('acme', 'small-1')
    expect(outer?.scope?.run(() => calls.begin('acme', 'small-1'))).toBeUndefined()
    expect(calls.begin('acme', 'small-1', outer?.scope)).toBeUndefined()
    outer?.end('ok')
    expect(calls.report()).toMatchObject([{ calls: 1 }])
  })
})

describe('the report', () => {
  it('sums up by model: calls, tokens, and estimates with their sources', () => {
    const calls = new ModelCalls('test', {
      tracker: recordedScopes(),
      remoteFactor: ({ model }) =>
        model === 'large'
          ? 'samsi-llama-65b'
          : model === 'small'
            ? { ...factor, gramsPerKwh: 36 }
            : undefined,
    })
    calls.begin('acme', 'small')?.end('ok', { input: 1, output: 10 })
    calls.begin('acme', 'small')?.end('ok', { input: 2, output: 20 })
    calls.begin('acme', 'large')?.end('aborted', { input: 4, output: 2 })
    calls.begin('acme', 'large')?.end('error')
    calls.begin(undefined, '')?.end('ok', { input: NaN, output: 3 })
    const [small, large, unknown] = calls.report()
    expect(small).toEqual({
      provider: 'acme',
      model: 'small',
      calls: 2,
      failedCalls: 0,
      callsWithoutTokens: 0,
      inputTokens: 3,
      outputTokens: 30,
      remote: {
        method: 'estimated',
        calls: 2,
        energyJoules: 60,
        energyLowJoules: 30,
        energyHighJoules: 120,
        emissionsGrams: expect.closeTo(60 * 1e-5, 12),
        emissionsLowGrams: expect.closeTo(30 * 1e-5, 12),
        emissionsHighGrams: expect.closeTo(120 * 1e-5, 12),
        sources: ['a paper, 2025'],
      },
    })
    expect(large).toMatchObject({
      calls: 2,
      failedCalls: 2,
      callsWithoutTokens: 1,
      remote: { calls: 1, energyJoules: 7, emissionsGrams: undefined },
    })
    expect(unknown).toMatchObject({ provider: 'unknown', model: 'unknown', remote: undefined })
  })

  it('tells a hundred models by name, and all others together', () => {
    const calls = new ModelCalls('test', { tracker: recordedScopes() })
    for (let i = 0; i < 150; i += 1) calls.begin('acme', `model ${i}`)?.end('ok', { output: 1 })
    expect(calls.report()).toHaveLength(101)
    expect(calls.report().at(-1)).toMatchObject({ model: '_other', calls: 50, outputTokens: 50 })
  })
})

describe('options', () => {
  it.each<[unknown, string]>([
    [null, 'test: expected options, got null'],
    [{ remoteFactor: 'nothing like it' }, 'option remoteFactor: there is no published factor'],
    [{ countTokens: 1 }, 'test: option countTokens: expected true or false, got 1'],
    [{ onModelCall: 1 }, 'test: option onModelCall: expected a function, got 1'],
    [{ tracker: {} }, 'test: option tracker: expected an EmissionsTracker'],
  ])('%j are refused', (options, message) => {
    expect(() => new ModelCalls('test', options as never)).toThrow(message)
  })

  it('that fail later harm nobody, and are told once', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const calls = new ModelCalls('test', {
      tracker: recordedScopes(),
      remoteFactor: () => 'none' as never,
      onModelCall: () => {
        throw new Error('not this time')
      },
    })
    for (let i = 0; i < 2; i += 1) calls.begin('acme', 'small')?.end('ok', { output: 1 })
    await calls.flush()
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('there is no published factor "none"'), 'CodeCarbonWarning'],
    ])
    expect(calls.report()).toMatchObject([{ calls: 2, outputTokens: 2 }])
  })
})
