/** A quantity with the interval it lies in. For a measured quantity the three are the same. */
export interface Estimate<Q extends number> {
  readonly value: Q
  readonly low: Q
  readonly high: Q
}

/** A quantity known exactly. */
export const exactly = <Q extends number>(value: Q): Estimate<Q> => ({ value, low: value, high: value })

/** The three numbers of an estimate, each put through the same function. */
export function mapEstimate<A extends number, B extends number>(
  estimate: Estimate<A>,
  change: (quantity: A) => B,
): Estimate<B> {
  return { value: change(estimate.value), low: change(estimate.low), high: change(estimate.high) }
}

/** Sum, the intervals' ends added as if they were fully correlated: the wider, safer answer. */
export function addEstimates<Q extends number>(a: Estimate<Q>, b: Estimate<Q>, weight = 1): Estimate<Q> {
  return {
    value: (a.value + weight * b.value) as Q,
    low: (a.low + weight * b.low) as Q,
    high: (a.high + weight * b.high) as Q,
  }
}
