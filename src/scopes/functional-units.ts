/** Functional units that are counted at once: sums of them stay exact enough, and finite. */
const mostUnits = 1e15

/** Whether so many functional units can be counted. */
export const isCount = (count: unknown): count is number =>
  typeof count === 'number' && Number.isFinite(count) && count >= 0 && count <= mostUnits

/** What is wrong with a number of them. */
export const wrongCount = (count: unknown): string =>
  `countFunctionalUnits(): expected a number from 0, got ${typeof count === 'number' ? count : `a ${typeof count}`}; none is counted`
