import { describe, expect, it } from 'vitest'
import {
  carbonMetadata,
  logCarbon,
  withCarbon,
  type CarbonOptions,
  type OpikSpan,
} from '../../../src/integrations/opik/opik.ts'
import { recordOf, taskOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'

interface Target extends OpikSpan {
  readonly scores: { readonly name: string; readonly value: number; readonly reason?: string }[]
}

/** A span of a version of Opik that puts new metadata in the place of what was there. */
function spanOf(metadata?: unknown, parentSpanId?: string): Target {
  const data: { metadata?: unknown; parentSpanId?: string | undefined } = { metadata, parentSpanId }
  const scores: Target['scores'] = []
  return {
    data,
    scores,
    update(updates) {
      Object.assign(data, updates)
    },
    score(score) {
      scores.push(score)
    },
  }
}

/** A tracker whose tasks all have one record. */
const tracker: CarbonOptions['tracker'] & { readonly names: string[] } = {
  names: [],
  task(name, fn, onEnd) {
    this.names.push(name)
    const end = (): void => onEnd?.(taskOf(name))
    try {
      const result = fn()
      if (!(result instanceof Promise)) {
        end()
        return result
      }
      return result.finally(end) as typeof result
    } catch (error) {
      end()
      throw error
    }
  },
}

describe('metadata of a record', () => {
  it('is energy and emissions with intervals, methods and source', () => {
    expect(carbonMetadata(recordOf())).toEqual({
      energy_kwh: 0.001,
      energy_low_kwh: 0.0009,
      energy_high_kwh: 0.0011,
      emissions_kg: 0.000044,
      emissions_low_kg: 0.00004,
      emissions_high_kg: 0.00005,
      duration_seconds: 120,
      measured_share: 0.9,
      intensity_grams_per_kwh: 44,
      intensity_source: 'Ember',
      country_iso_code: 'FRA',
      components: {
        cpu: { method: 'measured', source: 'rapl', energy_kwh: 0.0009 },
        ram: { method: 'estimated', source: 'ram-estimate', energy_kwh: 0.0001 },
      },
      run_id: 'run-1',
      codecarbon_version: '0.1.0',
    })
  })

  it('has nothing that nobody could tell', () => {
    const metadata = carbonMetadata(unmeasuredRecord())
    expect(Object.keys(metadata)).not.toContain('energy_kwh')
    expect(Object.values(metadata)).not.toContain(undefined)
  })
})

describe('a span', () => {
  it.each([[undefined], [null], [['a', 'list']], ['a text']])(
    'with metadata %j has carbon alone',
    (metadata) => {
      const span = spanOf(metadata)
      logCarbon(span, recordOf())
      expect(span.data.metadata).toEqual({ carbon: carbonMetadata(recordOf()) })
      expect(span.scores).toEqual([])
    },
  )

  it('has nothing where there is no record, and nobody is told where there is no span', () => {
    const span = spanOf()
    logCarbon(span, undefined)
    logCarbon(undefined, recordOf())
    expect(span.data.metadata).toBeUndefined()
  })

  it('keeps the metadata that it has', () => {
    const span = spanOf({ model: 'small', carbon: 'old' })
    logCarbon(span, recordOf(), { score: true })
    expect(span.data.metadata).toEqual({ model: 'small', carbon: carbonMetadata(recordOf()) })
    expect(span.scores).toEqual([
      { name: 'emissions_g', value: 0.044, reason: 'CodeCarbon, 44 gCO2eq/kWh, 90 % measured' },
    ])
  })

  it('has no score where nobody knows the emissions', () => {
    const span = spanOf()
    logCarbon(span, unmeasuredRecord(), { score: true })
    expect(span.scores).toEqual([])
  })
})

describe('a function with carbon', () => {
  it('tells the span in which it runs, and the trace where that is the outermost', async () => {
    const [outer, inner, trace] = [spanOf(), spanOf({ a: 1 }, 'outer'), spanOf()]
    let span = outer
    const options = { tracker, getTrackContext: () => ({ span, trace }) }
    const answer = withCarbon(options, async function reply(this: unknown, x: number) {
      return Promise.resolve([this, x + 1])
    })
    const self = { answer }
    expect(await self.answer(1)).toEqual([self, 2])
    expect(outer.data.metadata).toHaveProperty('carbon')
    expect(trace.data.metadata).toHaveProperty('carbon')
    trace.update({ metadata: {} })
    span = inner
    expect(withCarbon({ ...options, name: 'named' }, () => 7)()).toBe(7)
    expect(inner.data.metadata).toMatchObject({ a: 1, carbon: {} })
    expect(trace.data.metadata).toEqual({})
    expect(tracker.names).toEqual(['reply', 'named'])
  })

  it('tells of errors as well, which pass through', () => {
    const span = spanOf()
    const fails = withCarbon({ tracker, getTrackContext: () => ({ span, trace: spanOf() }) }, () => {
      throw new Error('as it should')
    })
    expect(fails).toThrow('as it should')
    expect(span.data.metadata).toHaveProperty('carbon')
  })

  it('outside of any span is a task and nothing more', () => {
    expect(withCarbon({ tracker, getTrackContext: () => undefined }, (x: number) => x)(3)).toBe(3)
  })

  it.each<[unknown, unknown, string]>([
    [undefined, () => 1, 'expected options with tracker and getTrackContext'],
    [{ getTrackContext: () => undefined }, () => 1, 'option tracker: expected an EmissionsTracker'],
    [{ tracker }, () => 1, 'option getTrackContext: expected the function of that name of opik'],
    [
      { tracker, getTrackContext: () => undefined, scores: true },
      () => 1,
      'option scores: not known; did you mean score?',
    ],
    [{ tracker, getTrackContext: () => undefined }, 7, 'expected a function behind the options, got number'],
  ])('needs a tracker, a context and a function (%#)', (options, fn, message) => {
    expect(() => withCarbon(options as never, fn as never)).toThrow(message)
  })
})
