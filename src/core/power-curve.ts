/** Ends of an interval as multiples of the estimate. */
export interface Spread {
  readonly low: number
  readonly high: number
}

/** The power of a processor at one load. */
export interface Knot {
  readonly load: number
  /** Share of the TDP at this load and the base frequency. */
  readonly share: number
  /** The interval where the TDP is all that is known. */
  readonly tdp: Spread
  /** The interval where the watts at full load are known. */
  readonly max: Spread
  /** The interval where the watts at full load and at idle are known. */
  readonly both: Spread
}

/**
 * Fitted to the measured power of 17 machines (data/sources/power): the least mean error plus three times the error as a share of the
 * TDP, each machine counting the same. The spreads are quantiles of measured over estimated power at machines that the shares were not
 * fitted to. `npm run bench:accuracy` prints these figures; test/core/power-curve.test.ts fits them again and compares. Why these:
 * docs/adr/0005-power-model.md.
 */
export const powerCurve: readonly [Knot, Knot, Knot, Knot] = [
  {
    load: 0,
    share: 0.119,
    tdp: { low: 0.58, high: 1.65 },
    max: { low: 0.64, high: 3.07 },
    both: { low: 0.68, high: 1.05 },
  },
  {
    load: 0.1,
    share: 0.328,
    tdp: { low: 0.63, high: 1.94 },
    max: { low: 0.79, high: 2.03 },
    both: { low: 0.58, high: 1.55 },
  },
  {
    load: 0.5,
    share: 0.752,
    tdp: { low: 0.52, high: 1.35 },
    max: { low: 0.74, high: 1.56 },
    both: { low: 0.6, high: 1.29 },
  },
  {
    load: 1,
    share: 0.945,
    tdp: { low: 0.51, high: 1.19 },
    max: { low: 0.95, high: 1.21 },
    both: { low: 0.95, high: 1.21 },
  },
]

/**
 * Exponent of the frequency over the base frequency, where that is below 1, in the power above idle. Where the watts at full load are
 * known, 1 stands in its place.
 */
export const frequencyExponent = 1.68
