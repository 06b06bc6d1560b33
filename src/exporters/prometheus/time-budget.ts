/** Time that may be spent on something, milliseconds. */
export interface TimeBudget {
  /** How long to wait until some is left again; 0 where it is. */
  waitMs(): number
  spend(ms: number): void
}

/** Options of {@link createTimeBudget}. */
export interface TimeBudgetOptions {
  /** Of all time, 0 to 1. */
  readonly share: number
  /** What gathers at most while nothing is spent, and is there at first. */
  readonly burstMs: number
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

/** A share of all time. What is begun while some is left may overdraw it, and is waited for afterwards. */
export function createTimeBudget({ share, burstMs, now }: TimeBudgetOptions): TimeBudget {
  let leftMs = burstMs
  let at = now()

  function fill(): void {
    const then = at
    at = now()
    leftMs = Math.min(burstMs, leftMs + (at - then) * share)
  }

  return {
    waitMs() {
      fill()
      return leftMs > 0 ? 0 : Math.max(1, -leftMs / share)
    },
    spend(ms) {
      fill()
      leftMs -= ms
    },
  }
}
