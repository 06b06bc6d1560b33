import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { frequencyExponent, powerCurve } from '../../src/core/power-curve.ts'
import {
  cpuPowerAtUnknownLoad,
  cpuPowerModels,
  estimateCpuPower,
  estimateMemoryPower,
  type CpuPowerModelName,
} from '../../src/core/power-model.ts'
import { ratio } from '../../src/core/units.ts'

const load = fc.double({ min: 0, max: 1, noNaN: true })
const someWatts = fc.double({ min: 1, max: 1000, noNaN: true })

/** Measured memory, kept beside the tables of the package. */
const awsMetal = (
  parse(readFileSync(new URL('../../data/sources/power/aws-metal.csv', import.meta.url), 'utf8'), {
    columns: true,
  }) as Record<string, string>[]
).map((row) => ({
  machine: row['instance'] ?? '',
  load: Number(row['load']),
  gigabytes: Number(row['memory_gigabytes']),
  memoryWatts: Number(row['memory_watts']),
}))

/** Whatever may be known of a machine besides its TDP. */
const knowledge = fc.record(
  {
    maxWatts: someWatts,
    idleWatts: someWatts,
    frequencyRatio: fc.double({ min: 0, max: 2, noNaN: true }),
    sockets: fc.integer({ min: 1, max: 8 }),
    cores: fc.integer({ min: 1, max: 256 }),
    threads: fc.integer({ min: 1, max: 512 }),
  },
  { requiredKeys: [] },
)

describe('processor power', () => {
  test.each(powerCurve.map(({ load: busy, share }) => [busy, share]))(
    'at a load of %d it is %d of the TDP',
    (utilisation, share) => {
      expect(estimateCpuPower({ tdpWatts: 200, utilisation }).watts).toBeCloseTo(200 * share, 9)
    },
  )

  test('between the points it lies on the line', () => {
    const at = (utilisation: number): number => estimateCpuPower({ tdpWatts: 100, utilisation }).watts
    expect(at(0.3)).toBeCloseTo((at(0.1) + at(0.5)) / 2, 9)
  })

  test('the TDP is per socket', () => {
    const one = estimateCpuPower({ tdpWatts: 240, utilisation: 0.4 })
    const two = estimateCpuPower({ tdpWatts: 240, utilisation: 0.4, sockets: 2 })
    expect(two.watts).toBeCloseTo(2 * one.watts, 9)
  })

  test('more load is never less power, in value and in both ends, whatever is known', () => {
    fc.assert(
      fc.property(someWatts, load, load, knowledge, (tdpWatts, one, other, known) => {
        const less = estimateCpuPower({ tdpWatts, ...known, utilisation: Math.min(one, other) })
        const more = estimateCpuPower({ tdpWatts, ...known, utilisation: Math.max(one, other) })
        for (const end of ['watts', 'low', 'high'] as const) {
          expect(more[end]).toBeGreaterThanOrEqual(less[end] * (1 - 1e-9))
        }
      }),
    )
  })

  test('a larger TDP is never less power, in value and in both ends', () => {
    fc.assert(
      fc.property(someWatts, someWatts, load, knowledge, (one, other, utilisation, known) => {
        const small = estimateCpuPower({ tdpWatts: Math.min(one, other), ...known, utilisation })
        const large = estimateCpuPower({ tdpWatts: Math.max(one, other), ...known, utilisation })
        for (const end of ['watts', 'low', 'high'] as const) {
          expect(large[end]).toBeGreaterThanOrEqual(small[end] * (1 - 1e-9))
        }
      }),
    )
  })

  test('it lies in its interval, and is positive, by each of the models', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('default', 'codecarbon', 'constant'),
        someWatts,
        load,
        knowledge,
        (model: CpuPowerModelName, tdpWatts, utilisation, known) => {
          const { watts, low, high } = cpuPowerModels[model]({ tdpWatts, ...known, utilisation })
          expect(low).toBeGreaterThan(0)
          expect(low).toBeLessThanOrEqual(watts * (1 + 1e-9))
          expect(high).toBeGreaterThanOrEqual(watts * (1 - 1e-9))
        },
      ),
    )
  })

  test('known watts at idle and at full load are met', () => {
    const known = { tdpWatts: 65, maxWatts: 88, idleWatts: 9 }
    expect(estimateCpuPower({ ...known, utilisation: 0 }).watts).toBeCloseTo(9, 9)
    expect(estimateCpuPower({ ...known, utilisation: 1 }).watts).toBeCloseTo(88, 9)
  })

  test('the more is known of the machine, the narrower the interval is', () => {
    const widths = (known: object): readonly number[] =>
      [0, 0.1, 0.5, 1].map((utilisation) => {
        const { watts, low, high } = estimateCpuPower({ tdpWatts: 65, ...known, utilisation })
        return (high - low) / watts
      })
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length
    const loaded = (known: object): number => mean(widths(known).slice(1))
    const [plain, full, both] = [{}, { maxWatts: 61 }, { maxWatts: 61, idleWatts: 8 }]
    expect(loaded(full)).toBeLessThan(loaded(plain))
    expect(mean(widths(both))).toBeLessThan(mean(widths(full)))
    expect(widths({ idleWatts: 8 })[0]).toBeLessThan(widths(plain)[0] ?? NaN)
  })

  test('without known watts the interval is wider, for its estimate, at light load and idle than when busy', () => {
    const width = (utilisation: number): number => {
      const { watts, low, high } = estimateCpuPower({ tdpWatts: 65, utilisation })
      return (high - low) / watts
    }
    expect(width(0)).toBeGreaterThan(width(1))
    expect(width(0.1)).toBeGreaterThan(width(0.5))
    expect(width(0.5)).toBeGreaterThan(width(1))
  })

  test('a frequency below the base frequency is less power, above idle; one above it changes nothing', () => {
    const at = (utilisation: number, frequencyRatio?: number): number =>
      estimateCpuPower({
        tdpWatts: 65,
        utilisation,
        ...(frequencyRatio === undefined ? {} : { frequencyRatio }),
      }).watts
    expect(at(0.5, 0.5)).toBeCloseTo(at(0) + (at(0.5) - at(0)) * 0.5 ** frequencyExponent, 9)
    expect(at(0, 0.5)).toBe(at(0))
    expect(at(0.5, 1.4)).toBe(at(0.5))
    const known = { tdpWatts: 65, maxWatts: 60, idleWatts: 10, utilisation: 1 }
    expect(estimateCpuPower({ ...known, frequencyRatio: 0.5 }).watts).toBeCloseTo(35, 9)
  })

  test('the numbers of cores and threads change nothing', () => {
    const machine = { tdpWatts: 65, utilisation: 0.3 }
    expect(estimateCpuPower({ ...machine, cores: 6, threads: 12 })).toEqual(estimateCpuPower(machine))
  })

  test('idle watts above the watts at full load do not make load save power', () => {
    const known = { tdpWatts: 65, maxWatts: 40, idleWatts: 60 }
    expect(estimateCpuPower({ ...known, utilisation: 0 }).watts).toBe(40)
    expect(estimateCpuPower({ ...known, utilisation: 1 }).watts).toBe(40)
  })

  test('a load above one counts as full load', () => {
    expect(estimateCpuPower({ tdpWatts: 65, utilisation: 1.2 })).toEqual(
      estimateCpuPower({ tdpWatts: 65, utilisation: 1 }),
    )
  })

  test.each([
    [{ tdpWatts: NaN, utilisation: 0.5 }, /tdpWatts/],
    [{ tdpWatts: -1, utilisation: 0.5 }, /tdpWatts/],
    [{ tdpWatts: 65, utilisation: NaN }, /utilisation/],
    [{ tdpWatts: 65, utilisation: -0.1 }, /utilisation/],
    [{ tdpWatts: 65, utilisation: 0.5, sockets: 0 }, /sockets/],
    [{ tdpWatts: 65, utilisation: 0.5, frequencyRatio: NaN }, /frequencyRatio/],
    [{ tdpWatts: 65, utilisation: 0.5, frequencyRatio: -1 }, /frequencyRatio/],
    [{ tdpWatts: 65, utilisation: 0.5, maxWatts: Infinity }, /maxWatts/],
    [{ tdpWatts: 65, utilisation: 0.5, idleWatts: -3 }, /idleWatts/],
  ])('%o is refused by name', (input, name) => {
    expect(() => estimateCpuPower(input)).toThrow(RangeError)
    expect(() => estimateCpuPower(input)).toThrow(name)
  })

  test('at an unknown load it is half load, anything from idle to full', () => {
    const unknown = cpuPowerAtUnknownLoad({ tdpWatts: 65 })
    expect(unknown.watts).toBe(estimateCpuPower({ tdpWatts: 65, utilisation: 0.5 }).watts)
    for (const utilisation of [0, 0.2, 0.7, 1]) {
      const known = estimateCpuPower({ tdpWatts: 65, utilisation })
      expect(unknown.low).toBeLessThanOrEqual(known.low)
      expect(unknown.high).toBeGreaterThanOrEqual(known.high)
    }
  })
})

describe('the models of CodeCarbon for Python', () => {
  test.each([
    [0, 0.1],
    [0.5, 0.2125],
    [0.8, 0.5608],
    [1, 1],
  ])('at a load of %d its curve is %d of the TDP', (utilisation, share) => {
    expect(cpuPowerModels.codecarbon({ tdpWatts: 120, sockets: 2, utilisation }).watts).toBeCloseTo(
      240 * share,
      9,
    )
  })

  test.each([0, 0.3, 1])('the constant is half the TDP at a load of %d', (utilisation) => {
    expect(cpuPowerModels.constant({ tdpWatts: 120, sockets: 2, utilisation }).watts).toBeCloseTo(120, 9)
  })

  test('known watts at full load stand for the TDP', () => {
    const known = { tdpWatts: 120, maxWatts: 90, utilisation: 1 }
    expect(cpuPowerModels.codecarbon(known).watts).toBeCloseTo(90, 9)
    expect(cpuPowerModels.constant(known).watts).toBeCloseTo(45, 9)
  })

  test('their intervals hold that of the default', () => {
    fc.assert(
      fc.property(someWatts, load, (tdpWatts, utilisation) => {
        const { low, high } = estimateCpuPower({ tdpWatts, utilisation })
        for (const model of [cpuPowerModels.codecarbon, cpuPowerModels.constant]) {
          const wider = model({ tdpWatts, utilisation })
          expect(wider.low).toBeLessThanOrEqual(low)
          expect(wider.high).toBeGreaterThanOrEqual(high)
        }
      }),
    )
  })

  test('at an unknown load they take half the TDP, as it does', () => {
    for (const name of ['codecarbon', 'constant'] as const) {
      expect(cpuPowerAtUnknownLoad({ tdpWatts: 65 }, name).watts).toBeCloseTo(32.5, 9)
    }
  })
})

describe('memory power', () => {
  const size = fc.double({ min: 1, max: 4000, noNaN: true })

  test('more memory and more load are never less power', () => {
    fc.assert(
      fc.property(size, load, load, fc.boolean(), (gigabytes, one, other, isLowPower) => {
        const less = estimateMemoryPower(gigabytes, ratio(Math.min(one, other)), isLowPower)
        const more = estimateMemoryPower(gigabytes, ratio(Math.max(one, other)), isLowPower)
        const larger = estimateMemoryPower(gigabytes * 2, ratio(Math.min(one, other)), isLowPower)
        for (const end of ['value', 'low', 'high'] as const) {
          expect(more[end]).toBeGreaterThanOrEqual(less[end] - 1e-9)
          expect(larger[end]).toBeGreaterThan(less[end])
        }
        expect(less.low).toBeLessThanOrEqual(less.value)
        expect(less.high).toBeGreaterThanOrEqual(less.value)
      }),
    )
  })

  test('low-power memory draws half of it, by its maker’s word, which moves the low end and not the high one', () => {
    fc.assert(
      fc.property(size, load, (gigabytes, busy) => {
        const usual = estimateMemoryPower(gigabytes, ratio(busy))
        const lowPower = estimateMemoryPower(gigabytes, ratio(busy), true)
        expect(lowPower.value).toBeCloseTo(usual.value / 2, 9)
        expect(lowPower.low).toBeLessThan(usual.low)
        expect(lowPower.high).toBe(usual.high)
      }),
    )
  })

  test('what is there at idle and what load adds make up the whole', () => {
    fc.assert(
      fc.property(size, load, fc.boolean(), (gigabytes, busy, isLowPower) => {
        const idle = estimateMemoryPower(gigabytes, ratio(0), isLowPower)
        const { value, dynamic } = estimateMemoryPower(gigabytes, ratio(busy), isLowPower)
        expect(idle.dynamic).toBe(0)
        expect(idle.value + dynamic).toBeCloseTo(value, 9)
      }),
    )
  })

  test('no memory draws no power', () => {
    expect(estimateMemoryPower(0, ratio(1))).toEqual({ value: 0, low: 0, high: 0, dynamic: 0 })
  })

  test.each(awsMetal)(
    'its interval holds $memoryWatts W of $gigabytes GB in $machine at a load of $load',
    (row) => {
      const { low, high } = estimateMemoryPower(row.gigabytes, ratio(row.load))
      expect(low).toBeLessThanOrEqual(row.memoryWatts)
      expect(high).toBeGreaterThanOrEqual(row.memoryWatts)
    },
  )

  test.each([0, 0.1, 0.5, 1])('at a load of %d it is within the range of what was measured', (busy) => {
    const perGigabyte = awsMetal
      .filter((row) => row.load === busy)
      .map(({ memoryWatts, gigabytes }) => memoryWatts / gigabytes)
    const { value } = estimateMemoryPower(1, ratio(busy))
    expect(value).toBeGreaterThanOrEqual(Math.min(...perGigabyte))
    expect(value).toBeLessThanOrEqual(Math.max(...perGigabyte))
  })

  test('at an unknown load it is anything from idle to full', () => {
    const unknown = estimateMemoryPower(64)
    expect(unknown.low).toBe(estimateMemoryPower(64, ratio(0)).low)
    expect(unknown.high).toBe(estimateMemoryPower(64, ratio(1)).high)
    expect(unknown.value).toBeGreaterThan(unknown.low)
    expect(unknown.value).toBeLessThan(unknown.high)
    expect(unknown.dynamic).toBe(0)
  })
})
