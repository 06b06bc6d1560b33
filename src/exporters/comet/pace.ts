import type { Clock } from '../../core/clock.ts'

/** Requests of the last minute, kept below a number. */
export interface Pace {
  /** How many more may be made now. */
  room(): number
  /** Counts requests that are made now. */
  note(count: number): void
}

/** A window that slides: at no time are there more within a minute, unless they are noted without asking. */
export function createPace(mostPerMinute: number, clock: Clock): Pace {
  let noted: { readonly atSeconds: number; readonly count: number }[] = []
  return {
    room() {
      const since = clock.now().monotonic - 60
      noted = noted.filter(({ atSeconds }) => atSeconds > since)
      return mostPerMinute - noted.reduce((sum, { count }) => sum + count, 0)
    },
    note(count) {
      noted.push({ atSeconds: clock.now().monotonic, count })
    },
  }
}
