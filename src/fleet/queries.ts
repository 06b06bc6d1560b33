import { ConfigError } from '../core/errors.ts'
import { promDuration } from './duration.ts'
import { energyName, lastTickName, namesAsked, runInfoName } from './series-kind.ts'

/**
 * The questions in PromQL. None of them asks for `increase()`: it loses the first sample of every run, and guesses what was before the first
 * and after the last one. The last samples tell all, since counters begin with their run.
 */
export interface Queries {
  /** Last sample of every series that a statement is made of, in a window that ends at the moment. */
  last(windowMs: number): string
  /** Every sample of them, of the targets that are named. */
  samples(windowMs: number, targets: readonly Readonly<Record<string, string>>[]): string
  /** First tick in the window. */
  firstTick(windowMs: number): string
  /** How often a newer tick was seen in the window. */
  ticks(windowMs: number): string
  /** Targets whose counters began again within the window. */
  restarts(windowMs: number): string
  /** Runs that were there in the window, as far as a look at every so much time tells. */
  runsBefore(windowMs: number, every: LookEvery): string
  /** Last sample in the window, as far as such a look tells, of the targets that are named. */
  lastBefore(windowMs: number, every: LookEvery, targets: readonly Readonly<Record<string, string>>[]): string
}

/** At five minutes nothing is overlooked, since Prometheus looks back as long by itself; at an hour only what was there for shorter. */
export type LookEvery = '5m' | '1h'

/** @param match matchers of labels, such as `job="codecarbon"`, for a Prometheus that holds more than is to be counted */
export function createQueries(match: string | undefined): Queries {
  const more = match === undefined ? '' : `, ${match}`
  const only = match === undefined ? '' : `{${match}}`
  const all = `{__name__=~"${namesAsked}"${more}}`
  const allOf = (targets: readonly Readonly<Record<string, string>>[]): string =>
    `{__name__=~"${namesAsked}"${more}${targetMatchers(targets)}}`
  return {
    last: (windowMs) => `last_over_time(${all}[${promDuration(windowMs)}])`,
    samples: (windowMs, targets) => `${allOf(targets)}[${promDuration(windowMs)}]`,
    firstTick: (windowMs) => `min_over_time(${lastTickName}${only}[${promDuration(windowMs)}])`,
    ticks: (windowMs) => `changes(${lastTickName}${only}[${promDuration(windowMs)}])`,
    restarts: (windowMs) =>
      `max without (component, method) (resets(${energyName}${only}[${promDuration(windowMs)}])) > 0`,
    runsBefore: (windowMs, every) =>
      `last_over_time(${runInfoName}${only}[${promDuration(windowMs)}:${every}])`,
    lastBefore: (windowMs, every, targets) =>
      `last_over_time(${allOf(targets)}[${promDuration(windowMs)}:${every}])`,
  }
}

/** A superset of the targets: any instance that is named with any job that is. */
function targetMatchers(targets: readonly Readonly<Record<string, string>>[]): string {
  return ['job', 'instance']
    .map((label) => {
      const values = [...new Set(targets.map((target) => target[label] ?? ''))]
      return `, ${label}=~"${values.map(quoted).join('|')}"`
    })
    .join('')
}

/** A text for RE2, in a string of PromQL. */
const quoted = (text: string): string =>
  JSON.stringify(text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).slice(1, -1)

/**
 * Matchers as they are given on the command line, without their braces.
 * @throws ConfigError
 */
export function parseMatch(text: string): string {
  const matchers = text
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/,\s*$/, '')
    .trim()
  const matcher = /^\s*[a-zA-Z_]\w*\s*(?:=~|!~|!=|=)\s*(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')\s*(?:,|$)/
  let rest = matchers
  while (matcher.test(rest)) rest = rest.replace(matcher, '')
  if (matchers !== '' && rest === '') return matchers
  throw new ConfigError(
    `--match is ${JSON.stringify(text)}: expected matchers of labels, such as 'job="codecarbon", cluster=~"a|b"'`,
  )
}
