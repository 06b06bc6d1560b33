/** One row of the printed table. @typedef {{ what: string, ours: string, base: string, result: string, goal: string }} Row */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/**
 * Median microseconds a call of two functions, measured in turn so that a change of the machine's speed meets both.
 * @param {() => void} first @param {() => void} second @param {{ rounds?: number, calls?: number }} [options]
 */
export function compare(first, second, { rounds = 60, calls = 2000 } = {}) {
  /** @type {number[]} */
  const a = []
  /** @type {number[]} */
  const b = []
  for (let round = 0; round < rounds; round += 1) {
    a.push(timeCalls(first, calls))
    b.push(timeCalls(second, calls))
  }
  return {
    first: median(a),
    second: median(b),
    ratio: median(a.map((value, index) => value / (b[index] ?? NaN))),
  }
}

/** @param {() => void} action @param {number} calls */
function timeCalls(action, calls) {
  const begin = performance.now()
  for (let call = 0; call < calls; call += 1) action()
  return ((performance.now() - begin) * 1000) / calls
}
