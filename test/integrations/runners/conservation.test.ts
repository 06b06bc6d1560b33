import { expect, it } from 'vitest'
import { EmissionsTracker, withCarbon, type ScopeRecord } from '../../../src/index.ts'
import { fakeMachine } from '../../tracker/fake-machine.ts'

it('ten thousand jobs that interleave, and what is unattributed, are what the meter saw', async () => {
  const machine = fakeMachine()
  const told: ScopeRecord[] = []
  const exporter = {
    name: 'told',
    export: () => undefined,
    onScopes: (records: readonly ScopeRecord[]) => void told.push(...records),
  }
  const tracker = new EmissionsTracker({
    ...machine.options,
    measurePowerSecs: 0.2,
    exporters: [exporter],
  }).start()
  let left = 10_000
  let used = 0
  const job = withCarbon(
    'job',
    async (slices: number) => {
      for (let slice = 0; slice < slices; slice += 1) {
        if ((used += 1) % 100 === 0) machine.use(1)
        await new Promise(setImmediate)
      }
    },
    { tracker },
  )
  const runner = async (): Promise<void> => {
    while (left > 0) await job((left -= 1) % 4)
  }
  await Promise.all(Array.from({ length: 8 }, runner))
  machine.use(5)
  await tracker.stop()
  const sum = (values: readonly (number | undefined)[]): number =>
    values.reduce<number>((total, value) => total + (value ?? NaN), 0)
  const total = sum((tracker.finalEmissionsData?.components ?? []).map(({ energyJoules }) => energyJoules))
  const inside = sum(told.map(({ energyJoules }) => energyJoules))
  const outside = sum(Object.values(tracker.unattributed?.energy ?? {}).map(({ value }) => value))
  expect(told).toHaveLength(10_000)
  expect(total).toBeCloseTo(155, 6)
  expect(Math.abs((inside + outside) / total - 1)).toBeLessThan(0.0001)
})
