// How far power models are from measured power of machines that they were not fitted to. `npm run bench:accuracy`
import { makeReady } from '../scripts/ready.js'
import {
  curveModel,
  fitCurve,
  idleWatts,
  intervalOf,
  predictKnowing,
  spreadOf,
  withoutFrequency,
  fullWatts,
} from './accuracy/curve.js'
import { errorOfTdp, fit, fitWithoutEach, interpolate, mean, meanError, spreadAt } from './accuracy/fit.js'
import { measuredMachines } from './accuracy/measured.js'
import { models } from './accuracy/models.js'

/** @typedef {import('./accuracy/measured.js').Machine} Machine */
/** @typedef {import('./accuracy/measured.js').Point} Point */
/** @typedef {{ watts: number, low: number, high: number }} Estimate */
/** What one way of estimating says of a machine's point that it was not fitted to. @typedef {{ name: string, at: (machine: Machine, point: Point) => Estimate, servers?: (machine: Machine, point: Point) => number }} Judged */

makeReady()
const { cpuPowerModels } = await import('../build/core/power-model.js')

const all = measuredMachines()
const servers = all.filter(({ set }) => set !== 'client')
const clients = all.filter(({ set }) => set === 'client')
const bands = /** @type {const} */ ([
  ['idle', 0, 0.05],
  ['light', 0.05, 0.3],
  ['mid', 0.3, 0.7],
  ['busy', 0.7, 1],
])

const candidates = models.map(judge)
const fitted = fitCurve(all)
const nested = fitWithoutPairs()
const [ours, blind] = [judgeCurve('tdp', true), judgeCurve('tdp', false)]
const known = [
  judgeCurve('max', true),
  judgeCurve('max', false),
  judgeCurve('both', true),
  judgeCurve('both', false),
]
const options = /** @type {const} */ (['constant', 'codecarbon']).map((name) => ({
  name: `cpu_power_model=${name}`,
  at: (/** @type {Machine} */ machine, /** @type {Point} */ point) =>
    cpuPowerModels[name]({
      ...machine,
      tdpWatts: machine.tdpWatts / machine.sockets,
      utilisation: point.load,
    }),
}))

console.log(
  `Measured: ${all.length} machines, ${all.flatMap(({ points }) => points).length} points (data/sources/power).`,
)
console.log(`Each model is fitted to all machines but the one it is judged at. Errors are means over machines: of the absolute
error of a point in % (by load: idle up to 5 %, light 30 %, mid 70 %, busy), and of its root mean square in % of the TDP. The interval
is made from the other machines; "in" is the share of points inside, "width" its mean width over the estimate.\n`)
printSummary([...candidates, ours, blind])
console.log('\nThe selectable models of CodeCarbon with the intervals that the product gives\n')
printSummary(options, all)
console.log('\nWatts at full load known, or at idle too (servers: the clients were not measured at idle)\n')
printSummary(known.slice(0, 2), all)
printSummary(known.slice(2), servers)
console.log('\nThe same, points between idle and full load only\n')
printSummary(known.slice(2), servers.map(between))
console.log('\nPoints inside the interval, by load, %\n')
printInside([ours, blind, ...known])
printMachines('Mean absolute error by machine, %', [...candidates, ours, blind], meanError)
printMachines('Root mean square error by machine, % of the TDP', [...candidates, ours, blind], errorOfTdp)
console.log('\nFitted to all machines, as in src/core/power-curve.ts\n')
for (const knot of fitted.knots) {
  const spreads = [knot.tdp, knot.max, knot.both].map(
    (spread) => `${fixed(spread?.low, 2)} ${fixed(spread?.high, 2)}`,
  )
  console.log(`load ${fixed(knot.load, 1)}  share ${fixed(knot.share, 3)}  intervals ${spreads.join(' | ')}`)
}
console.log(`exponent of the frequency ${fixed(fitted.exponent, 2)}`)

/** @param {import('./accuracy/fit.js').Model} model @returns {Judged} */
function judge(model) {
  const without = fitWithoutEach(all, model)
  const serversWithout = fitWithoutEach(servers, model)
  const fromServers = fit(servers, model)
  const residuals = all.flatMap((machine) =>
    machine.points.map((point) => ({
      machine,
      load: point.load,
      ratio: point.watts / model.predict(without.get(machine) ?? [], machine, point),
    })),
  )
  const spreads = new Map(
    all.map((machine) => [
      machine,
      spreadAt(
        residuals.filter((residual) => residual.machine !== machine),
        0.06,
      ),
    ]),
  )
  return {
    name: model.name,
    at(machine, point) {
      const watts = model.predict(without.get(machine) ?? [], machine, point)
      const spread = spreads.get(machine) ?? []
      const end = (/** @type {'low' | 'high'} */ side) =>
        watts *
        interpolate(
          spread.map((one) => [one.load, one[side]]),
          point.load,
        )
      return { watts, low: end('low'), high: end('high') }
    },
    servers: (machine, point) => model.predict(serversWithout.get(machine) ?? fromServers, machine, point),
  }
}

/**
 * The product's model, its interval made from residuals of machines that neither they nor the judged one were part of the fit.
 * @param {'tdp' | 'max' | 'both'} known @param {boolean} seesFrequency @returns {Judged}
 */
function judgeCurve(known, seesFrequency) {
  const predict = predictKnowing(known)
  const serversWithout = fitWithoutEach(servers, curveModel)
  const fromServers = fit(servers, curveModel)
  const see = (/** @type {Point} */ point) => (seesFrequency ? point : withoutFrequency(point))
  const spreads = new Map(
    all.map((machine) => [
      machine,
      spreadOf(
        all.filter((other) => other !== machine),
        (other) => nested.get(machine)?.get(other) ?? [],
        known,
      ),
    ]),
  )
  const what = { tdp: 'OURS', max: 'ours, full W known', both: 'ours, idle and full W known' }
  return {
    name: `${what[known]}${seesFrequency ? '' : ', no frequency'}`,
    at(of, point) {
      const machine = whole(of)
      const parameters = fitted.without.get(machine) ?? []
      const interval = intervalOf(parameters, spreads.get(machine) ?? [], known, machine, see(point))
      return { watts: predict(parameters, machine, see(point)), ...interval }
    },
    servers: (machine, point) => predict(serversWithout.get(machine) ?? fromServers, machine, see(point)),
  }
}

/** For each two machines the parameters fitted to the others. */
function fitWithoutPairs() {
  /** @type {Map<Machine, Map<Machine, number[]>>} */
  const pairs = new Map(all.map((machine) => [machine, new Map()]))
  all.forEach((one, index) => {
    for (const other of all.slice(index + 1)) {
      const parameters = fit(
        all.filter((machine) => machine !== one && machine !== other),
        curveModel,
      )
      pairs.get(one)?.set(other, parameters)
      pairs.get(other)?.set(one, parameters)
    }
  })
  return pairs
}

/** @param {Machine} machine @returns {Machine} */
function between(machine) {
  return { ...machine, points: machine.points.filter(({ load }) => load > 0.05 && load < 0.99) }
}

/** The machine with all its points. @param {Machine} machine @returns {Machine} */
function whole(machine) {
  return all.find(({ name }) => name === machine.name) ?? machine
}

/** @param {readonly Judged[]} judged @param {readonly Machine[]} [machines] */
function printSummary(judged, machines) {
  const of = (/** @type {Judged} */ { at }, /** @type {readonly Machine[]} */ those) => ({
    error: percent(mean(those.map((machine) => meanError(machine, (point) => at(machine, point).watts)))),
    tdp: percent(mean(those.map((machine) => errorOfTdp(machine, (point) => at(machine, point).watts)))),
  })
  const header = [
    machines === undefined ? ['11 machines', '6 clients', '17 machines'] : [`${machines.length} machines`],
  ].flat()
  console.log(
    `${''.padEnd(44)}${header.map((text) => text.padStart(14)).join('')}${bands.map(([name]) => name.padStart(7)).join('')}${'in'.padStart(6)}${'width'.padStart(7)}`,
  )
  for (const one of judged) {
    const { servers: fromServers } = one
    const held =
      machines === undefined && fromServers !== undefined
        ? [servers, clients].map((those) =>
            of(
              { ...one, at: (machine, point) => ({ watts: fromServers(machine, point), low: 0, high: 0 }) },
              those,
            ),
          )
        : []
    const those = machines ?? all
    const figures = [...held, of(one, those)].map(({ error, tdp }) => `${error} / ${tdp}`.padStart(14))
    const points = those.flatMap((machine) =>
      machine.points.map((point) => ({ machine, point, estimate: one.at(machine, point) })),
    )
    const byBand = bands.map(([, from, to]) => {
      const near = those
        .map((machine) => ({
          ...machine,
          points: machine.points.filter(({ load }) => (load > from || from === 0) && load <= to),
        }))
        .filter((machine) => machine.points.length > 0)
      if (near.length === 0) return ''.padStart(7)
      return percent(
        mean(near.map((machine) => meanError(machine, (point) => one.at(whole(machine), point).watts))),
      ).padStart(7)
    })
    const inside = points.filter(
      ({ point, estimate }) => estimate.low <= point.watts && point.watts <= estimate.high,
    )
    const width = mean(points.map(({ estimate }) => (estimate.high - estimate.low) / estimate.watts))
    console.log(
      `${one.name.padEnd(44)}${figures.join('')}${byBand.join('')}${`${Math.round((100 * inside.length) / points.length)} %`.padStart(6)}${fixed(width, 2).padStart(7)}`,
    )
  }
}

/** @param {readonly Judged[]} judged */
function printInside(judged) {
  console.log(`${''.padEnd(44)}${bands.map(([name]) => name.padStart(7)).join('')}`)
  for (const { name, at } of judged) {
    const those = name.includes('idle') ? servers : all
    const byBand = bands.map(([, from, to]) => {
      const held = those.flatMap((machine) =>
        machine.points
          .filter(({ load }) => (load > from || from === 0) && load <= to)
          .map((point) => {
            const { low, high } = at(machine, point)
            return low <= point.watts && point.watts <= high
          }),
      )
      return String(Math.round((100 * held.filter(Boolean).length) / held.length)).padStart(7)
    })
    console.log(`${name.padEnd(44)}${byBand.join('')}`)
  }
}

/** @param {string} title @param {readonly Judged[]} judged @param {typeof meanError} errorOf */
function printMachines(title, judged, errorOf) {
  console.log(`\n${title}, each left out of the fit\n`)
  judged.forEach(({ name }, index) => console.log(`  ${String(index + 1).padStart(2)}  ${name}`))
  const numbers = judged.map((_, index) => String(index + 1).padStart(5)).join('')
  console.log(
    `\n${''.padEnd(22)}${'idle W'.padStart(7)}${'full W'.padStart(7)}${'TDP'.padStart(5)}${numbers}`,
  )
  for (const machine of all) {
    const errors = judged.map(({ at }) =>
      fixed(100 * errorOf(machine, (point) => at(machine, point).watts), 0).padStart(5),
    )
    const watts = [idleWatts(machine), fullWatts(machine)].map((one) =>
      (one === undefined ? '-' : fixed(one, 0)).padStart(7),
    )
    console.log(
      `${machine.name.padEnd(22)}${watts.join('')}${fixed(machine.tdpWatts, 0).padStart(5)}${errors.join('')}`,
    )
  }
}

/** @param {number} share */
function percent(share) {
  return fixed(100 * share, 1)
}

/** @param {number | undefined} value @param {number} digits */
function fixed(value, digits) {
  return (value ?? NaN).toFixed(digits)
}
