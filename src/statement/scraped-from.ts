import type { Joules, Seconds } from '../core/units.ts'
import { formatDuration, formatEnergy } from '../exporters/text/quantity.ts'
import { counted } from './phrases.ts'
import type { Sums } from './sums.ts'

/** The Prometheus that runs are from, and how far it can be relied on. */
export interface ScrapedFrom {
  /** Without credentials. */
  readonly address: string
  /** The time that was asked for, in milliseconds since 1970. */
  readonly fromMs: number
  readonly untilMs: number
  /** Targets that runs were scraped from. */
  readonly targets: number
  /** Time between two readings that were seen, the longest of all targets; `undefined` where no target was seen often enough. */
  readonly readingTime: Seconds | undefined
  /** What the runs may have used after the last reading that was seen of each, at most and at their mean power. */
  readonly unseenEnergy: Joules | undefined
  /** What makes the sums doubtful, a sentence each. */
  readonly doubts: readonly string[]
}

/** `Prometheus at http://localhost:9090, 2026-10-25T12:00 to 2026-11-24T12:00, 3 targets`. */
export function scrapedPhrase({ address, fromMs, untilMs, targets }: ScrapedFrom): string {
  return `Prometheus at ${address}, ${minuteOf(fromMs)} to ${minuteOf(untilMs)}, ${counted(targets, 'target')}`
}

/** What was not seen, and that it is in no sum. */
export function unseenPhrase({ readingTime, unseenEnergy }: ScrapedFrom, { energy }: Sums): string {
  const shorter = readingTime === undefined ? 'between two scrapes' : `within ${formatDuration(readingTime)}`
  const rest =
    unseenEnergy === undefined
      ? 'what runs used after their last scrape'
      : `what runs used after their last scrape, at most ${formatEnergy(unseenEnergy, energy.value)},`
  return `${rest} and runs that began and ended ${shorter} are in no sum`
}

/** `2026-11-24T12:00`, local time. */
function minuteOf(ms: number): string {
  return toLocalTimestamp(ms).slice(0, 16)
}

/** `2026-11-24T12:00:00`, local time, as in files of runs. */
export function toLocalTimestamp(ms: number): string {
  const date = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day}T${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}
