import { ConfigError } from '../core/errors.ts'

/** Seconds of the units of Prometheus, largest first; a year is 365 days there. */
const units = [
  ['y', 365 * 86_400],
  ['w', 7 * 86_400],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** Shorter ones hold no two scrapes, longer ones are slips of the pen. */
const leastSeconds = 60
const mostSeconds = 10 * 365 * 86_400

/**
 * Milliseconds of a length of time as Prometheus writes it: `30d`, `1h30m`.
 * @throws ConfigError saying what was expected of `flag`
 */
export function parseRange(text: string, flag: string): number {
  const number = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text.trim())
  const seconds = units.reduce((sum, [, size], index) => sum + size * Number(number?.[index + 1] ?? 0), 0)
  if (number !== null && seconds >= leastSeconds && seconds <= mostSeconds) return seconds * 1000
  throw new ConfigError(
    `${flag} is ${JSON.stringify(text)}: expected a length of time from 1m to 10y, such as 30d, 12h or 1w2d`,
  )
}

/** A length of time as Prometheus reads it, to the millisecond. */
export const promDuration = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`)

/**
 * Milliseconds since 1970 of a moment: a date, a date and time (local where it names no zone), or seconds since 1970.
 * @throws ConfigError saying what was expected of `flag`
 */
export function parseMoment(text: string, flag: string): number {
  const trimmed = text.trim()
  const ms = /^\d{9,11}(\.\d+)?$/.test(trimmed)
    ? Number(trimmed) * 1000
    : /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|$)/.test(trimmed)
      ? // A date alone is local too, unlike what Date.parse takes it for.
        Date.parse(trimmed.length === 10 ? `${trimmed}T00:00` : trimmed)
      : Number.NaN
  if (ms > 0) return Math.round(ms)
  throw new ConfigError(
    `${flag} is ${JSON.stringify(text)}: expected a moment, such as 2026-11-01, 2026-11-01T12:00:00Z or seconds since 1970`,
  )
}
