// Errors of a power model on measured machines, and fitting by leaving one machine out.

/** @typedef {import('./measured.js').Machine} Machine */
/** @typedef {import('./measured.js').Point} Point */
/** Watts that a model with parameters says a machine draws at a point. @typedef {(parameters: readonly number[], machine: Machine, point: Point) => number} Predict */
/** `start` holds the parameters that fitting begins with; none for a model with nothing to fit. @typedef {{ name: string, start: readonly number[], predict: Predict }} Model */

/** Mean of the absolute relative errors of a machine's points. @param {Machine} machine @param {(point: Point) => number} watts */
export const meanError = (machine, watts) =>
  mean(machine.points.map((point) => Math.abs(watts(point) / point.watts - 1)))

/** Root of the mean squared error of a machine's points, as a share of its TDP. @param {Machine} machine @param {(point: Point) => number} watts */
export const errorOfTdp = (machine, watts) =>
  Math.sqrt(mean(machine.points.map((point) => (watts(point) - point.watts) ** 2))) / machine.tdpWatts

/**
 * Parameters with the least loss: over machines, each counting the same, the mean relative error plus three times the error as a share
 * of the TDP. The first alone follows idle points of small machines; the second alone follows full load.
 * @param {readonly Machine[]} machines @param {Model} model @returns {number[]}
 */
export function fit(machines, { start, predict }) {
  if (start.length === 0) return []
  const loss = (/** @type {readonly number[]} */ parameters) =>
    mean(
      machines.map((machine) => {
        const watts = (/** @type {Point} */ point) => predict(parameters, machine, point)
        return meanError(machine, watts) + 3 * errorOfTdp(machine, watts)
      }),
    )
  // A second start from the first answer: the simplex may have shrunk too early.
  return minimise(loss, minimise(loss, start))
}

/** For each machine the parameters fitted to the others. @param {readonly Machine[]} machines @param {Model} model @returns {Map<Machine, number[]>} */
export const fitWithoutEach = (machines, model) =>
  new Map(
    machines.map((machine) => [
      machine,
      fit(
        machines.filter((other) => other !== machine),
        model,
      ),
    ]),
  )

/**
 * Shares of true over estimated power between which the truth is expected, at each of `loads`. The quantiles are of the points within
 * the window around the load; each machine weighs the same, however many points it has.
 * @param {readonly { machine: Machine, load: number, ratio: number }[]} residuals @param {number} outside share of points outside, on each side
 */
export const spreadAt = (residuals, outside) =>
  windows.map(([load, from, to]) => {
    const near = residuals.filter((residual) => residual.load >= from && residual.load <= to)
    return { load, low: quantile(near, outside), high: quantile(near, 1 - outside) }
  })

/** Loads at which intervals are tabled, and the loads of the points that are asked for each. */
export const windows = /** @type {const} */ ([
  [0, 0, 0.05],
  [0.1, 0.05, 0.3],
  [0.5, 0.3, 0.7],
  [1, 0.7, 1],
])

/** @param {readonly { machine: Machine, ratio: number }[]} residuals @param {number} share */
function quantile(residuals, share) {
  /** @type {Map<Machine, number>} */
  const counts = new Map()
  for (const { machine } of residuals) counts.set(machine, (counts.get(machine) ?? 0) + 1)
  const sorted = residuals.toSorted((a, b) => a.ratio - b.ratio)
  let before = 0
  for (const { machine, ratio } of sorted) {
    before += 1 / (counts.get(machine) ?? NaN) / counts.size
    if (before >= share - 1e-9) return ratio
  }
  return sorted.at(-1)?.ratio ?? NaN
}

/** @param {readonly number[]} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** The value of a line through points. @param {readonly (readonly [x: number, y: number])[]} points @param {number} x */
export function interpolate(points, x) {
  let [leftX, leftY] = points[0] ?? [0, 0]
  for (const [rightX, rightY] of points) {
    if (x <= rightX)
      return rightX > leftX ? leftY + ((rightY - leftY) * (x - leftX)) / (rightX - leftX) : rightY
    ;[leftX, leftY] = [rightX, rightY]
  }
  return leftY
}

/**
 * Nelder and Mead's simplex: no derivatives, and the same answer every time.
 * @param {(parameters: readonly number[]) => number} loss @param {readonly number[]} start @returns {number[]}
 */
function minimise(loss, start) {
  const count = start.length
  const at = (/** @type {number[]} */ point) => ({ point, loss: loss(point) })
  const shifted = start.map((_, moved) =>
    start.map((value, index) => (index === moved ? (value === 0 ? 0.1 : value * 1.25) : value)),
  )
  let corners = [[...start], ...shifted].map(at)
  for (let round = 0; round < 1500; round += 1) {
    corners = corners.toSorted((a, b) => a.loss - b.loss)
    const [best, worst, second] = [corners[0], corners[count], corners[count - 1]]
    if (best === undefined || worst === undefined || second === undefined) break
    if (worst.loss - best.loss < 1e-9) break
    const centre = start.map((_, index) =>
      mean(corners.slice(0, count).map(({ point }) => point[index] ?? NaN)),
    )
    const move = (/** @type {number} */ by) =>
      at(centre.map((value, index) => value + by * ((worst.point[index] ?? NaN) - value)))
    const reflected = move(-1)
    let next = reflected
    if (reflected.loss < best.loss) {
      const expanded = move(-2)
      if (expanded.loss < reflected.loss) next = expanded
    } else if (reflected.loss >= second.loss) {
      next = move(reflected.loss < worst.loss ? -0.5 : 0.5)
      if (next.loss >= Math.min(reflected.loss, worst.loss)) {
        corners = corners.map((corner) =>
          corner === best
            ? corner
            : at(corner.point.map((value, index) => (value + (best.point[index] ?? NaN)) / 2)),
        )
        continue
      }
    }
    corners[count] = next
  }
  return corners.toSorted((a, b) => a.loss - b.loss)[0]?.point ?? [...start]
}
