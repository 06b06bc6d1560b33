import { expect, test } from 'vitest'
import type { Probe, ProbeResult } from '../../src/core/probe.ts'
import type { Reading } from '../../src/core/reading.ts'
import { joules, seconds } from '../../src/core/units.ts'
import { createStandIn } from '../../src/probes/stand-in.ts'
import { itIsAProbe } from '../contract/probe.ts'

/** A meter that can be switched off, and a model beside it. */
function bench(modelName = 'cpu-estimate'): {
  readonly probe: Probe
  readonly meter: { joules: number; tells: boolean; closed: boolean }
  readonly model: { joules: number }
  read(): ProbeResult
} {
  const meter = { joules: 0, tells: true, closed: false }
  const model = { joules: 0, closed: false }
  const reading = (probe: string, energy: number, extra: Partial<Reading>): Reading => ({
    domain: 'cpu',
    kind: 'cpu',
    component: 'cpu',
    method: 'integrated',
    probe,
    energy: joules(energy),
    low: joules(energy),
    high: joules(energy),
    ...extra,
  })
  const probe = createStandIn(
    {
      name: 'powermetrics',
      read: () => ({
        readings:
          meter.tells && !meter.closed
            ? [
                reading('powermetrics', meter.joules, {}),
                reading('powermetrics', meter.joules, { domain: 'gpu', component: 'gpu', kind: 'gpu' }),
              ]
            : [],
        problems: [],
      }),
      close: () => (meter.closed = true),
    },
    {
      name: modelName,
      maxInterval: seconds(1),
      read: () => ({
        readings: model.closed
          ? []
          : [reading(modelName, model.joules, { method: 'estimated', high: joules(2 * model.joules) })],
        problems: [],
      }),
      close: () => (model.closed = true),
    },
    'cpu',
  )
  return { probe, meter, model, read: () => probe.read({ at: seconds(0), resumed: false }) }
}

const energies = ({ readings }: ProbeResult): Record<string, number> =>
  Object.fromEntries(readings.map(({ domain, energy }) => [domain, energy]))

itIsAProbe('a meter with a model beside it', () => {
  const { probe, meter, model } = bench('powermetrics')
  return {
    probe,
    work(time) {
      meter.joules += 30 * time
      model.joules += 20 * time
    },
  }
})

test('a model that is never needed is never mentioned', () => {
  const { meter, model, read } = bench()
  read()
  for (let tick = 0; tick < 3; tick += 1) {
    meter.joules += 30
    model.joules += 20
    read()
  }
  expect(energies(read())).toEqual({ cpu: 90, gpu: 90 })
})

test('each interval is told by one of them: before the meter tells, while it is down, and after', () => {
  const { meter, model, read } = bench()
  meter.tells = false
  const turn = (tells: boolean): Record<string, number> => {
    meter.tells = tells
    meter.joules += 30
    model.joules += 20
    return energies(read())
  }
  expect(energies(read())).toEqual({ 'cpu-model': 0 })
  expect(turn(false)).toEqual({ 'cpu-model': 20 })
  // The interval in which it begins to tell is still the model's.
  expect(turn(true)).toMatchObject({ cpu: 0, 'cpu-model': 40 })
  expect(turn(true)).toMatchObject({ cpu: 30, 'cpu-model': 40 })
  expect(turn(false)).toEqual({ 'cpu-model': 60 })
  expect(turn(false)).toEqual({ 'cpu-model': 80 })
  expect(turn(true)).toMatchObject({ cpu: 30, 'cpu-model': 100 })
  expect(turn(true)).toMatchObject({ cpu: 60, 'cpu-model': 100 })
})

test('what the model told keeps its name, its method and its interval', () => {
  const { meter, model, read } = bench()
  meter.tells = false
  read()
  model.joules = 20
  expect(read().readings).toMatchObject([
    { domain: 'cpu-model', method: 'estimated', probe: 'cpu-estimate', low: 20, high: 40 },
  ])
})

test('what the meter tells of other components is left as it is', () => {
  const { meter, read } = bench()
  meter.joules = 500
  expect(energies(read())).toMatchObject({ cpu: 0, gpu: 500 })
})
