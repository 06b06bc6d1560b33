import { expect, onTestFinished, test } from 'vitest'
import { createMeter, type Meter } from '../../src/core/meter.ts'
import type { Snapshot } from '../../src/core/snapshot.ts'
import { seconds } from '../../src/core/units.ts'
import { totalEnergy } from '../../src/core/usage.ts'
import { createRaplProbe } from '../../src/probes/rapl.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'
import { fakeCounter, fakeSysfs, type FakeCounter } from '../fixtures/fake-sysfs.ts'
import { dramRange } from '../fixtures/machines.ts'

const range = 65_532_610_987

/** A part of a machine that draws a known power. */
interface Part {
  readonly folder: string
  readonly name: string
  readonly watts: number
  readonly range?: number
}

/** A machine whose counters move at known watts, and a meter that follows them. */
function drawing(
  parts: readonly Part[],
  interval: number,
): { meter: Meter; run(time: number, step?: number): Snapshot } {
  const sysfs = fakeSysfs()
  const counters = parts.map((part, index): [Part, FakeCounter] => {
    const top = part.range ?? range
    // Short of the end of the range, each by another distance, so that wraps come soon and at different times.
    const start = Math.floor(top - (index + 1) * 700e6)
    return [
      part,
      fakeCounter(sysfs, { folder: `class/powercap/${part.folder}`, name: part.name, start, range: top }),
    ]
  })
  const clock = fakeClock()
  const meter = createMeter({
    probes: [createRaplProbe({ sysfsPath: sysfs.path })],
    clock,
    interval: seconds(interval),
    gramsPerKwh: () => 100,
  })
  onTestFinished(() => {
    meter.close()
  })
  return {
    meter,
    run(time, step = 0.5) {
      for (let done = 0; done < time; done += step) {
        for (const [{ watts }, counter] of counters) counter.spend(watts * step)
        clock.advance(step)
      }
      return meter.read()
    },
  }
}

const socket = (index: number, watts: number): Part => ({
  folder: `intel-rapl:${index}`,
  name: `package-${index}`,
  watts,
})
const dram = (index: number, watts: number): Part => ({
  folder: `intel-rapl:${index}:0`,
  name: 'dram',
  watts,
  range: dramRange,
})

const toleratedError = 0.02

test.each([
  ['15 W in one package', [socket(0, 15)], 600],
  ['95 W in one package', [socket(0, 95)], 900],
  [
    '2 × 140 W in packages and 2 × 12 W in memory',
    [socket(0, 140), dram(0, 12), socket(1, 140), dram(1, 12)],
    600,
  ],
])('%s are measured within two percent over minutes, wraps and all', (_, parts, time) => {
  const { run } = drawing(parts, 1)
  const { machine, problems } = run(time)
  const cpu = parts.filter(({ name }) => name !== 'dram').reduce((sum, { watts }) => sum + watts * time, 0)
  const ram = parts.filter(({ name }) => name === 'dram').reduce((sum, { watts }) => sum + watts * time, 0)
  expect(Math.abs((machine.energy.cpu?.value ?? 0) - cpu) / cpu).toBeLessThanOrEqual(toleratedError)
  if (ram > 0)
    expect(Math.abs((machine.energy.ram?.value ?? 0) - ram) / ram).toBeLessThanOrEqual(toleratedError)
  expect(totalEnergy(machine).value).toBeCloseTo(cpu + ram, 2)
  expect(machine.time).toBeCloseTo(time, 6)
  expect(problems).toEqual([])
})

test('a task of 50 ms between two ticks is measured', () => {
  const { meter, run } = drawing([socket(0, 95)], 15)
  const before = run(7)
  const after = run(0.05, 0.05)
  expect(totalEnergy(after.machine).value - totalEnergy(before.machine).value).toBeCloseTo(95 * 0.05, 3)
  expect(meter.domains().map(({ domain }) => domain)).toEqual(['package-0'])
})

test('an interval of minutes between measurements leaves no counter ambiguous', () => {
  const { run } = drawing([socket(0, 95), socket(1, 15)], 120)
  const { machine, problems } = run(1200)
  const { value, low, high } = totalEnergy(machine)
  expect(value).toBeCloseTo(110 * 1200, 2)
  expect([low, high]).toEqual([value, value])
  expect(problems).toEqual([])
})
