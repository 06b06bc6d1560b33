// The models that were compared. Each is fitted to all machines but the one it is judged at, unless it has nothing to fit.
import { interpolate } from './fit.js'

/** @typedef {import('./fit.js').Model} Model */
/** @typedef {import('./fit.js').Machine} Machine */
/** @typedef {import('./fit.js').Point} Point */

const positive = (/** @type {number | undefined} */ value) => Math.max(value ?? 0, 0.001)

/** Parameters `idle`, `span` and `exponent` first. @param {readonly number[]} p @param {number} load @param {number} [factor] */
const power = ([idle, span, exponent], load, factor = 1) =>
  positive(idle) + positive(span) * load ** positive(exponent) * factor

/** Probability that at least one thread of a core is busy, where threads are busy independently of each other. @param {Machine} machine @param {Point} point */
const occupancy = ({ cores, threads }, { load }) => 1 - (1 - load) ** (threads / cores)

/** @param {readonly number[]} loads @param {readonly number[]} steps @param {number} load */
function rising(loads, steps, load) {
  let share = 0
  return interpolate(
    loads.map((knot, index) => [
      knot,
      (share += index === 0 ? positive(steps[0]) : Math.max(0, steps[index] ?? 0)),
    ]),
    load,
  )
}

const base = (/** @type {Point} */ { frequencyRatio = 1 }) => Math.min(1, frequencyRatio)
const turbo = (/** @type {Point} */ { turboRatio = 1 }) => turboRatio

/** @param {string} name @param {readonly number[]} start @param {(p: readonly number[], machine: Machine, point: Point) => number} share @returns {Model} */
const ofTdp = (name, start, share) => ({
  name,
  start,
  predict: (p, machine, point) => machine.tdpWatts * share(p, machine, point),
})

const sixLoads = [0, 0.1, 0.25, 0.5, 0.75, 1]
const six = [0.12, 0.17, 0.14, 0.2, 0.15, 0.1]
const teads = /** @type {const} */ ([
  [0, 0.12],
  [0.1, 0.32],
  [0.5, 0.75],
  [1, 1.02],
])

/** @type {readonly Model[]} */
export const models = [
  ofTdp('constant, 50 %', [], () => 0.5),
  ofTdp('CodeCarbon, 0.1 + 0.9 L^3', [], (_, __, { load }) => 0.1 + 0.9 * load ** 3),
  ofTdp('linear', [0.12, 0.88], ([idle, span], _, { load }) => positive(idle) + positive(span) * load),
  ofTdp('0.12 0.32 0.75 1.02 (not held out)', [], (_, __, { load }) => interpolate(teads, load)),
  ofTdp('i + k L^a', [0.12, 0.8, 0.65], (p, _, { load }) => power(p, load)),
  ofTdp('shares at 0, 10, 50, 100 %', [0.12, 0.2, 0.4, 0.2], (p, _, { load }) =>
    rising([0, 0.1, 0.5, 1], p, load),
  ),
  ofTdp('shares at 6 loads', six, (p, _, { load }) => rising(sixLoads, p, load)),
  ofTdp('occupancy, i + k o', [0.12, 0.75], ([idle, span], machine, point) =>
    power([idle ?? 0, span ?? 0, 1], occupancy(machine, point)),
  ),
  ofTdp('occupancy, i + k o^a', [0.12, 0.75, 0.9], (p, machine, point) =>
    power(p, occupancy(machine, point)),
  ),
  ofTdp(
    'i + k L^a, (W per core)^c',
    [0.12, 0.8, 0.65, -0.3],
    (p, machine, { load }) => power(p, load) * (machine.tdpWatts / machine.cores / 12) ** (p[3] ?? 0),
  ),
  ofTdp('i + k L^a, (f/fmax)^b', [0.12, 0.84, 0.54, 1.3], (p, _, point) =>
    power(p, point.load, turbo(point) ** (p[3] ?? 0)),
  ),
  ofTdp('i + k L^a, (f/base)^b', [0.12, 0.84, 0.54, 1.3], (p, _, point) =>
    power(p, point.load, base(point) ** (p[3] ?? 0)),
  ),
  ofTdp('shares at 6 loads, (f/base)^b', [...six, 1.5], (p, _, point) => {
    const idle = positive(p[0])
    return idle + (rising(sixLoads, p, point.load) - idle) * base(point) ** (p[6] ?? 0)
  }),
  ofTdp('occupancy, i + k o^a, (f/base)^b', [0.12, 0.8, 0.85, 1.5], (p, machine, point) =>
    power(p, occupancy(machine, point), base(point) ** (p[3] ?? 0)),
  ),
  ofTdp(
    'i + k L^a, (f/base)^b, (W per core)^c',
    [0.12, 0.84, 0.54, 1.3, -0.3],
    (p, machine, point) =>
      power(p, point.load, base(point) ** (p[3] ?? 0)) *
      (machine.tdpWatts / machine.cores / 12) ** (p[4] ?? 0),
  ),
]
