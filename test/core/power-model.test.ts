import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { cpuPowerAtUnknownLoad, estimateCpuPower, estimateMemoryPower } from '../../src/core/power-model.ts'
import { ratio } from '../../src/core/units.ts'

const load = fc.double({ min: 0, max: 1, noNaN: true })
const someWatts = fc.double({ min: 1, max: 1000, noNaN: true })

/** Rows of measured power, kept beside the tables of the package. */
const measured = (file: string): readonly Record<string, string>[] =>
  parse(readFileSync(new URL(`../../data/sources/power/${file}`, import.meta.url), 'utf8'), {
    columns: true,
  }) as Record<string, string>[]

const cpuLoad = measured('cpu-load.csv').map((row) => ({
  machine: row['machine'] ?? '',
  tdpWatts: Number(row['tdp_watts']),
  sockets: 1,
  load: Number(row['load']),
  packageWatts: Number(row['package_watts']),
}))
const awsMetal = measured('aws-metal.csv').map((row) => ({
  machine: row['instance'] ?? '',
  tdpWatts: Number(row['tdp_watts_per_socket']),
  sockets: Number(row['sockets']),
  load: Number(row['load']),
  packageWatts: Number(row['package_watts']),
  gigabytes: Number(row['memory_gigabytes']),
  memoryWatts: Number(row['memory_watts']),
}))

describe('processor power', () => {
  test.each([
    [0, 0.12],
    [0.1, 0.32],
    [0.5, 0.75],
    [1, 1.02],
  ])('at a load of %d it is %d of the TDP', (utilisation, share) => {
    expect(estimateCpuPower({ tdpWatts: 200, utilisation }).watts).toBeCloseTo(200 * share, 9)
  })

  test('between the points it lies on the line', () => {
    expect(estimateCpuPower({ tdpWatts: 100, utilisation: 0.3 }).watts).toBeCloseTo((32 + 75) / 2, 9)
  })

  test('the TDP is per socket', () => {
    const one = estimateCpuPower({ tdpWatts: 240, utilisation: 0.4 })
    const two = estimateCpuPower({ tdpWatts: 240, utilisation: 0.4, sockets: 2 })
    expect(two.watts).toBeCloseTo(2 * one.watts, 9)
  })

  test('more load is never less power, in value and in both ends', () => {
    fc.assert(
      fc.property(someWatts, load, load, (tdpWatts, one, other) => {
        const less = estimateCpuPower({ tdpWatts, utilisation: Math.min(one, other) })
        const more = estimateCpuPower({ tdpWatts, utilisation: Math.max(one, other) })
        const slack = 1e-9 * tdpWatts
        expect(more.watts).toBeGreaterThanOrEqual(less.watts - slack)
        expect(more.low).toBeGreaterThanOrEqual(less.low - slack)
        expect(more.high).toBeGreaterThanOrEqual(less.high - slack)
      }),
    )
  })

  test('it lies in its interval, and is positive', () => {
    fc.assert(
      fc.property(
        someWatts,
        load,
        fc.option(someWatts, { nil: undefined }),
        fc.option(someWatts, { nil: undefined }),
        (tdpWatts, utilisation, maxWatts, idleWatts) => {
          const { watts, low, high } = estimateCpuPower({
            tdpWatts,
            utilisation,
            ...(maxWatts === undefined ? {} : { maxWatts }),
            ...(idleWatts === undefined ? {} : { idleWatts }),
          })
          expect(low).toBeGreaterThan(0)
          expect(low).toBeLessThanOrEqual(watts)
          expect(high).toBeGreaterThanOrEqual(watts)
        },
      ),
    )
  })

  test('known watts at idle and at full load are met', () => {
    const known = { tdpWatts: 65, maxWatts: 88, idleWatts: 9 }
    expect(estimateCpuPower({ ...known, utilisation: 0 }).watts).toBeCloseTo(9, 9)
    expect(estimateCpuPower({ ...known, utilisation: 1 }).watts).toBeCloseTo(88, 9)
  })

  test('known watts at full load make the interval narrower', () => {
    const width = ({ low, high, watts }: ReturnType<typeof estimateCpuPower>): number => (high - low) / watts
    const plain = estimateCpuPower({ tdpWatts: 65, utilisation: 0.5 })
    const calibrated = estimateCpuPower({ tdpWatts: 65, utilisation: 0.5, maxWatts: 66.3 })
    expect(calibrated.watts).toBeCloseTo(plain.watts, 9)
    expect(width(calibrated)).toBeLessThan(width(plain))
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

  test('its interval holds four of five measured points', () => {
    const points = [...cpuLoad, ...awsMetal]
    const held = points.filter((point) => {
      const { low, high } = estimateCpuPower({ ...point, utilisation: point.load })
      return low <= point.packageWatts && point.packageWatts <= high
    })
    expect(points).toHaveLength(84)
    expect(new Set(points.map(({ machine }) => machine)).size).toBe(8)
    expect(held.length / points.length).toBeGreaterThanOrEqual(0.8)
  })

  test('it is closer to what was measured than the curve of CodeCarbon for Python', () => {
    const points = [...cpuLoad, ...awsMetal]
    const meanError = (model: (point: (typeof points)[number]) => number): number =>
      points.reduce((sum, point) => sum + Math.abs(model(point) / point.packageWatts - 1), 0) / points.length
    const ours = meanError((point) => estimateCpuPower({ ...point, utilisation: point.load }).watts)
    const cubic = meanError(
      ({ tdpWatts, sockets, load: busy }) => tdpWatts * sockets * (0.1 + 0.9 * busy ** 3),
    )
    expect(ours).toBeLessThan(cubic)
  })
})

describe('memory power', () => {
  test('more memory and more load are never less power', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 4000, noNaN: true }), load, load, (gigabytes, one, other) => {
        const less = estimateMemoryPower(gigabytes, ratio(Math.min(one, other)))
        const more = estimateMemoryPower(gigabytes, ratio(Math.max(one, other)))
        const larger = estimateMemoryPower(gigabytes * 2, ratio(Math.min(one, other)))
        for (const end of ['value', 'low', 'high'] as const) {
          expect(more[end]).toBeGreaterThanOrEqual(less[end] - 1e-9)
          expect(larger[end]).toBeGreaterThan(less[end])
        }
        expect(less.low).toBeLessThanOrEqual(less.value)
        expect(less.high).toBeGreaterThanOrEqual(less.value)
      }),
    )
  })

  test('no memory draws no power', () => {
    expect(estimateMemoryPower(0, ratio(1))).toEqual({ value: 0, low: 0, high: 0 })
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
  })
})
