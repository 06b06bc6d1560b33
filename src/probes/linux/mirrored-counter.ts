import type { Joules } from '../../core/units.ts'

/** A package of 1 kW changes by this much in one refresh of 1 ms. */
const toleranceJoules = 1

/**
 * Whether two values, read one after the other, are of one counter that is shown twice. The thread may have been put aside in between for
 * any time; so where they differ, the first counter is read again, and the second's value must lie between its two.
 *
 * @param second what the second counter showed
 * @param first what the first one had shown before
 * @param readFirstAgain what the first one shows now; `undefined` where it will not say, and the two are then given the benefit of the doubt
 * @param range value at which both start again
 */
export function showsOneCounter(
  second: Joules,
  first: Joules,
  readFirstAgain: () => Joules | undefined,
  range: Joules | undefined,
): boolean {
  const ahead = rise(first, second, range)
  if (Math.abs(ahead) <= toleranceJoules) return true
  const after = readFirstAgain()
  return after === undefined || (ahead > 0 && ahead <= rise(first, after, range) + toleranceJoules)
}

/** How far a counter went from one value to another, the short way around. */
function rise(from: number, to: number, range: number | undefined): number {
  const step = to - from
  if (range === undefined || range <= 0 || Math.abs(step) <= range / 2) return step
  return step < 0 ? step + range : step - range
}
