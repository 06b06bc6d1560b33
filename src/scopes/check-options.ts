import { nearest } from '../config/nearest.ts'
import { ConfigError } from '../core/errors.ts'
import { show } from '../core/show.ts'

/**
 * Refuses options with a name that there is none of: a misspelt one would have no effect, and nobody would know.
 *
 * @param what whose options they are, for the message
 * @param known every name that there is
 * @throws ConfigError with the name that was most likely meant
 */
export function checkNames<Options extends object>(
  what: string,
  given: Options,
  known: Readonly<Record<keyof Options, true>>,
): void {
  if (typeof given !== 'object' || given === null)
    throw new ConfigError(`${what}: expected options, got ${show(given)}`)
  const names = Object.keys(known)
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const meant = nearest(unknown, names)
  const hint = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`
  throw new ConfigError(`${what}: there is no option ${unknown}; ${hint}`)
}
