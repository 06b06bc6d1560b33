import type { Clock } from '../core/clock.ts'

/** A place that one run of this machine has at a time. */
export interface Seat {
  readonly isOurs: boolean
  /** Leaves it to whoever waits for it. */
  close(): void
}

/** How a seat is taken. */
export interface SeatOptions {
  /** Letters, digits, `-`, `_` and `%`; at most 100 of them. */
  readonly name: string
  readonly clock: Clock
  /** Whether we have what belongs to it: those that have go first. Everybody alike where it is left out. */
  readonly goesFirst?: (() => boolean) | undefined
  /** Called when it becomes ours, or another's; not for how it was at first. */
  readonly onChange: () => void
  /** Told once for each holder that is met, by the number of its process. */
  readonly onHolder: (pid: number) => void
  /** Told why nobody can say who has it. It is then ours. */
  readonly onUnusable: (reason: string) => void
}
