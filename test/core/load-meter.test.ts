import { expect, test } from 'vitest'
import { LoadMeter, meansBetween, type LoadMark } from '../../src/core/load-meter.ts'
import type { Load } from '../../src/core/load.ts'
import type { Snapshot } from '../../src/core/snapshot.ts'
import { seconds } from '../../src/core/units.ts'
import { noUsage } from '../../src/core/usage.ts'

const gibibyte = 1024 ** 3

const snapshot = (at: number, load: Load): Snapshot => ({
  at: { monotonic: seconds(at), wallMs: at * 1000 },
  readings: [],
  machine: noUsage,
  power: {},
  selfTime: seconds(0),
  took: seconds(0),
  selfEnergy: undefined,
  load,
  problems: [],
})

/** Marks after each look. */
function marks(looks: readonly (readonly [at: number, load: Load])[]): readonly LoadMark[] {
  const [first, ...rest] = looks
  if (first === undefined) return []
  const meter = new LoadMeter(snapshot(...first))
  return [meter.mark, ...rest.map((look) => (meter.advance(snapshot(...look)), meter.mark))]
}

const means = (list: readonly LoadMark[]): ReturnType<typeof meansBetween> =>
  meansBetween(list[0] as LoadMark, list.at(-1) as LoadMark)

test('processor utilisation is the busy share of the time there was, from first to last', () => {
  const list = marks([
    [0, { cpuBusy: seconds(100), cpuCapacity: seconds(1000) }],
    [1, { cpuBusy: seconds(103), cpuCapacity: seconds(1004) }],
    [5, { cpuBusy: seconds(105), cpuCapacity: seconds(1020) }],
  ])
  expect(means(list).cpuUtilisation).toBeCloseTo(5 / 20, 12)
})

test('memory in use is weighted by time', () => {
  const memoryTotalBytes = 16 * gibibyte
  const list = marks([
    [0, { memoryUsedBytes: 8 * gibibyte, memoryTotalBytes }],
    [1, { memoryUsedBytes: 4 * gibibyte, memoryTotalBytes }],
    [4, { memoryUsedBytes: 2 * gibibyte, memoryTotalBytes }],
  ])
  expect(means(list).memoryUsedGibibytes).toBeCloseTo((1 * 4 + 3 * 2) / 4, 12)
  expect(means(list).memoryUtilisation).toBeCloseTo(2.5 / 16, 12)
})

test('over no time the last look stands for memory, and nothing is said of the processor', () => {
  const look = {
    memoryUsedBytes: 8 * gibibyte,
    memoryTotalBytes: 16 * gibibyte,
    cpuBusy: seconds(1),
    cpuCapacity: seconds(2),
  }
  expect(means(marks([[3, look]]))).toEqual({
    cpuUtilisation: undefined,
    memoryUtilisation: 0.5,
    memoryUsedGibibytes: 8,
  })
})

test('what the system does not tell stays unknown, never zero', () => {
  expect(
    means(
      marks([
        [0, {}],
        [5, {}],
      ]),
    ),
  ).toEqual({
    cpuUtilisation: undefined,
    memoryUtilisation: undefined,
    memoryUsedGibibytes: undefined,
  })
})

test('a look in which the system said nothing of the memory does not count as no memory', () => {
  const list = marks([
    [0, { memoryUsedBytes: 4 * gibibyte }],
    [1, {}],
    [3, { memoryUsedBytes: 6 * gibibyte }],
  ])
  expect(means(list).memoryUsedGibibytes).toBeCloseTo(6, 12)
})
