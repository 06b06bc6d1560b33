// The model of the product, src/core/power-curve.ts, with its constants as parameters, so that they can be fitted.
import { fit, fitWithoutEach, interpolate, mean, spreadAt } from './fit.js'

/** @typedef {import('./fit.js').Machine} Machine */
/** @typedef {import('./fit.js').Point} Point */
/** What is known of a machine besides its TDP. @typedef {'tdp' | 'max' | 'both'} Known */
/** A machine with what a model says of it at a point. @typedef {(machine: Machine) => readonly number[]} ParametersOf */

/** Loads between which the share of the TDP is a straight line: those at which most machines were measured. */
export const knots = /** @type {const} */ ([0, 0.1, 0.5, 1])

/** Shares of the TDP at the knots, none less than the one before. @param {readonly number[]} parameters */
export function sharesOf([idle = 0, ...steps]) {
  let share = Math.max(idle, 0.001)
  return [share, ...steps.slice(0, knots.length - 1).map((step) => (share += Math.max(step, 0)))]
}

/** The exponent of the frequency: the last parameter. @param {readonly number[]} parameters */
export const exponentOf = (parameters) => parameters[knots.length] ?? 0

/** Share of the way from idle to full load. @param {readonly number[]} parameters @param {number} load */
function partOf(parameters, load) {
  const shares = sharesOf(parameters)
  const [idle = 0, full = 1] = [shares[0], shares.at(-1)]
  const share = interpolate(
    knots.map((knot, index) => [knot, shares[index] ?? 0]),
    load,
  )
  return (share - idle) / (full - idle)
}

/**
 * What the frequency makes of the part above idle. Where the watts at full load are known it counts in proportion: the fitted exponent
 * was worse there, for it stands for part of the difference between machines.
 * @param {readonly number[]} parameters @param {Known} known @param {Point} point
 */
const frequencyFactor = (parameters, known, { frequencyRatio = 1 }) =>
  Math.min(1, frequencyRatio) ** (known === 'tdp' ? exponentOf(parameters) : 1)

/** Watts at idle and at full load of a machine, by what is known of it. @param {readonly number[]} parameters @param {Machine} machine @param {Known} known */
function endsOf(parameters, machine, known) {
  const shares = sharesOf(parameters)
  const [idle = 0, full = 1] = [shares[0], shares.at(-1)]
  const top = known === 'tdp' ? full * machine.tdpWatts : (fullWatts(machine) ?? NaN)
  const bottom = (idle / full) * top
  return { top, bottom: known === 'both' ? (idleWatts(machine) ?? bottom) : bottom }
}

/** @param {Known} known @returns {import('./fit.js').Predict} */
export const predictKnowing = (known) => (parameters, machine, point) => {
  const { top, bottom } = endsOf(parameters, machine, known)
  return bottom + (top - bottom) * partOf(parameters, point.load) * frequencyFactor(parameters, known, point)
}

/** @type {import('./fit.js').Model} */
export const curveModel = {
  name: 'shares at 0, 10, 50, 100 %, (f/base)^b',
  start: [0.12, 0.2, 0.4, 0.2, 1.5],
  predict: predictKnowing('tdp'),
}

/** Mean watts of a machine's points at idle and at full load; absent where there is none. @param {Machine} machine */
export const idleWatts = (machine) => meanWatts(machine.points.filter(({ load }) => load <= 0.05))
/** @param {Machine} machine */
export const fullWatts = (machine) => meanWatts(machine.points.filter(({ load }) => load >= 0.99))
/** @param {readonly Point[]} points */
const meanWatts = (points) => (points.length === 0 ? undefined : mean(points.map(({ watts }) => watts)))

/** The point as a machine shows it that does not tell its frequency. @param {Point} point @returns {Point} */
export const withoutFrequency = ({ load, watts }) => ({ load, watts })

/**
 * Share of the points on each side that the interval leaves out of those it is made from: the most, in hundredths, with which it still
 * holds four of five points of a machine that is not among them, with and without frequency.
 */
export const outside = { tdp: 0.06, max: 0.03, both: 0.03 }

/** The least an interval is wide on each side: two runs of one machine at full load (Xeon E5-2620 v3) are 9 % apart. */
const least = 0.05

/**
 * Ends of the interval as multiples of the estimate, at each knot, from points of machines that the parameters were not fitted to;
 * with and without frequencies, for one table has to do for both.
 * @param {readonly Machine[]} machines @param {ParametersOf} parametersOf @param {Known} known @param {number} [share]
 * @returns {{ low: number, high: number }[]}
 */
export function spreadOf(machines, parametersOf, known, share = outside[known]) {
  const spread = spreadAt(residualsOf(machines, parametersOf, known), share).map(({ low, high }) => ({
    low: Math.min(1 - least, low),
    high: Math.max(1 + least, high),
  }))
  if (known !== 'both') return spread
  // What is known of idle says nothing more of full load.
  return [...spread.slice(0, -1), ...spreadOf(machines, parametersOf, 'max', share).slice(-1)]
}

/** @param {readonly Machine[]} machines @param {ParametersOf} parametersOf @param {Known} known */
const residualsOf = (machines, parametersOf, known) =>
  machines
    .filter((machine) => known !== 'both' || idleWatts(machine) !== undefined)
    .flatMap((machine) =>
      machine.points.flatMap((point) =>
        [point, withoutFrequency(point)].map((seen) => ({
          machine,
          load: point.load,
          ratio: point.watts / predictKnowing(known)(parametersOf(machine), machine, seen),
        })),
      ),
    )

/**
 * The interval that the product would give, whose ends follow the same rule as src/core/power-model.ts.
 * @param {readonly number[]} parameters @param {ReturnType<typeof spreadOf>} spread @param {Known} known @param {Machine} machine @param {Point} point
 */
export function intervalOf(parameters, spread, known, machine, point) {
  const at = (/** @type {number} */ load) => predictKnowing(known)(parameters, machine, { load, watts: NaN })
  const lows = knots.map((load, index) => (spread[index]?.low ?? NaN) * at(load))
  const highs = knots.map((load, index) => (spread[index]?.high ?? NaN) * at(load))
  const factor = frequencyFactor(parameters, known, point)
  const end = (/** @type {number[]} */ values) => {
    const idle = values[0] ?? NaN
    const line = interpolate(
      knots.map((knot, index) => [knot, values[index] ?? NaN]),
      point.load,
    )
    return idle + (line - idle) * factor
  }
  return {
    low: end(lows.map((_, index) => Math.max(...lows.slice(0, index + 1)))),
    high: end(highs.map((_, index) => Math.min(...highs.slice(index)))),
  }
}

/** Everything in src/core/power-curve.ts, from all machines. @param {readonly Machine[]} machines */
export function fitCurve(machines) {
  const parameters = fit(machines, curveModel)
  const without = fitWithoutEach(machines, curveModel)
  const spread = (/** @type {Known} */ known) =>
    spreadOf(machines, (machine) => without.get(machine) ?? [], known)
  const [tdp, max, both] = [spread('tdp'), spread('max'), spread('both')]
  return {
    parameters,
    without,
    exponent: exponentOf(parameters),
    knots: knots.map((load, index) => ({
      load,
      share: sharesOf(parameters)[index] ?? NaN,
      tdp: tdp[index],
      max: max[index],
      both: both[index],
    })),
  }
}
