import { describe, expect, test } from 'vitest'
import {
  curveModel,
  fitCurve,
  idleWatts,
  intervalOf,
  predictKnowing,
  fullWatts,
  spreadOf,
  withoutFrequency,
} from '../../bench/accuracy/curve.js'
import { errorOfTdp, fitWithoutEach, mean, meanError } from '../../bench/accuracy/fit.js'
import { measuredMachines, type Machine, type Point } from '../../bench/accuracy/measured.js'
import { frequencyExponent, powerCurve } from '../../src/core/power-curve.ts'
import { cpuPowerModels, estimateCpuPower } from '../../src/core/power-model.ts'

const machines = measuredMachines()
const servers = machines.filter(({ set }) => set !== 'client')
const fitted = fitCurve(machines)

/** What the product says of a machine, given this much besides the TDP. */
const shipped = (machine: Machine, point: Point, known: object = {}): ReturnType<typeof estimateCpuPower> => {
  const { tdpWatts, sockets } = machine
  const { load: utilisation, frequencyRatio = 1 } = point
  return estimateCpuPower({ tdpWatts: tdpWatts / sockets, sockets, utilisation, frequencyRatio, ...known })
}

/** The figures in the code are rounded. */
const expectNear = (value: number, expected: number): void => {
  expect(Math.abs(value / expected - 1)).toBeLessThan(0.015)
}

test('the measured power is that of 17 machines, none of them twice, and none beyond what its part can draw', () => {
  expect(machines.map(({ points }) => points.length)).toEqual([
    22, 22, 20, 22, 4, 4, 4, 4, 4, 4, 4, 3, 3, 5, 3, 6, 5,
  ])
  for (const { tdpWatts, points } of machines) {
    for (const { load, watts } of points) {
      expect(load).toBeGreaterThanOrEqual(0)
      expect(load).toBeLessThanOrEqual(1)
      expect(watts).toBeLessThanOrEqual(1.35 * tdpWatts)
    }
  }
})

describe('the figures in the code', () => {
  test.each(fitted.knots)('at a load of $load are what the measured power gives', (knot) => {
    const inCode = powerCurve.find(({ load }) => load === knot.load)
    expect(inCode?.share).toBeCloseTo(knot.share, 2)
    for (const known of ['tdp', 'max', 'both'] as const) {
      for (const end of ['low', 'high'] as const) {
        expect(Math.abs((inCode?.[known][end] ?? NaN) - (knot[known]?.[end] ?? NaN))).toBeLessThan(0.011)
      }
    }
  })

  test('the exponent of the frequency too', () => {
    expect(Math.abs(frequencyExponent - fitted.exponent)).toBeLessThan(0.05)
  })

  test('are used as the benchmark that chose them uses them', () => {
    for (const machine of machines) {
      const [maxWatts, lowest] = [fullWatts(machine), idleWatts(machine)]
      for (const point of machine.points) {
        const known = {
          tdp: {},
          max: { maxWatts },
          both: { maxWatts, ...(lowest === undefined ? {} : { idleWatts: lowest }) },
        }
        for (const name of ['tdp', 'max'] as const) {
          const expected = predictKnowing(name)(fitted.parameters, machine, point)
          const spread = fitted.knots.map((knot) => knot[name] ?? { low: NaN, high: NaN })
          const interval = intervalOf(fitted.parameters, spread, name, machine, point)
          const { watts, low, high } = shipped(machine, point, known[name])
          expectNear(watts, expected)
          expectNear(low, interval.low)
          expectNear(high, interval.high)
        }
        if (lowest === undefined) continue
        const expected = predictKnowing('both')(fitted.parameters, machine, point)
        expectNear(shipped(machine, point, known.both).watts, expected)
      }
    }
  })
})

describe('on a machine that it was not fitted to', () => {
  const error = (those: readonly Machine[], watts: (machine: Machine, point: Point) => number): number =>
    mean(those.map((machine) => meanError(machine, (point) => watts(machine, point))))
  const parametersOf = (machine: Machine): readonly number[] => fitted.without.get(machine) ?? []
  const ours = (machine: Machine, point: Point): number =>
    predictKnowing('tdp')(parametersOf(machine), machine, point)

  test('the model is off by less than the anchors: 20.1 % and 11.6 % of the TDP over servers, 27 % and 16 % over all', () => {
    const without = fitWithoutEach(servers, curveModel)
    const watts = (machine: Machine, point: Point): number =>
      curveModel.predict(without.get(machine) ?? [], machine, point)
    expect(error(servers, watts)).toBeLessThan(0.201)
    expect(mean(servers.map((one) => errorOfTdp(one, (point) => watts(one, point))))).toBeLessThan(0.116)
    expect(error(machines, ours)).toBeLessThan(0.27)
    expect(mean(machines.map((one) => errorOfTdp(one, (point) => ours(one, point))))).toBeLessThan(0.16)
  })

  test('it is closer than the models of CodeCarbon at every band of load', () => {
    for (const [from, to] of [
      [0, 0.05],
      [0.05, 0.3],
      [0.3, 0.7],
      [0.7, 1],
    ] as const) {
      const band = machines
        .map((machine) => ({
          machine,
          points: machine.points.filter(({ load }) => (load > from || from === 0) && load <= to),
        }))
        .filter(({ points }) => points.length > 0)
      const errorOf = (watts: (machine: Machine, point: Point) => number): number =>
        mean(
          band.map(({ machine, points }) =>
            meanError({ ...machine, points }, (point) => watts(machine, point)),
          ),
        )
      for (const name of ['codecarbon', 'constant'] as const) {
        const upstream = (machine: Machine, { load }: Point): number =>
          cpuPowerModels[name]({ tdpWatts: machine.tdpWatts, utilisation: load }).watts
        expect(errorOf(ours)).toBeLessThan(errorOf(upstream))
      }
    }
  })

  test('with its watts at idle and at full load known, the error is under 12 %, with and without frequency', () => {
    const known = (machine: Machine, point: Point): number =>
      predictKnowing('both')(parametersOf(machine), machine, point)
    expect(error(servers, known)).toBeLessThan(0.12)
    expect(error(servers, (machine, point) => known(machine, withoutFrequency(point)))).toBeLessThan(0.12)
  })

  test.each(['tdp', 'max', 'both'] as const)(
    'the interval from %s holds four of five points, with and without frequency',
    (known) => {
      const those = machines.filter((machine) => known !== 'both' || idleWatts(machine) !== undefined)
      for (const see of [(point: Point): Point => point, withoutFrequency]) {
        const held = those.flatMap((machine) => {
          const others = machines.filter((other) => other !== machine)
          const spread = spreadOf(others, parametersOf, known)
          return machine.points.map((point) => {
            const { low, high } = intervalOf(parametersOf(machine), spread, known, machine, see(point))
            return low <= point.watts && point.watts <= high
          })
        })
        // The benchmark leaves both machines out of each fit, which takes longer; it says 82 to 87 %.
        expect(held.filter(Boolean).length / held.length).toBeGreaterThanOrEqual(0.78)
      }
    },
  )
})
