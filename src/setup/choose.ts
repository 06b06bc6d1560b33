import type { Named } from '../codecarbon-api/accounts.ts'
import { nearest } from '../config/nearest.ts'
import { ConfigError } from '../core/errors.ts'
import type { Ask } from './ask.ts'

/** How one of several is chosen. */
export interface ChooseOptions {
  /** What they are, as in messages: `organisation`. */
  readonly kind: string
  /** The flag that names one. */
  readonly flag: string
  readonly all: readonly Named[]
  /** Name or id that was asked for. */
  readonly wanted: string | undefined
  /** How the server describes the one that it made for the user. */
  readonly defaultDescription?: string
  /** Makes one. */
  readonly make: (name: string, description: string) => Promise<Named>
  /** One that was asked for and is not there is made. */
  readonly mayMake: boolean
  readonly ask: Ask | undefined
  /** Asks where there is only one to choose, too. */
  readonly asksAlways: boolean
}

/**
 * The one that was asked for by id or name; else the one that the person at the terminal chooses or makes; else the only one, or the user's own.
 *
 * @throws ConfigError where that is none, saying what there is
 */
export async function choose(options: ChooseOptions): Promise<Named> {
  const { all, wanted, ask, asksAlways, flag, kind, defaultDescription } = options
  if (wanted !== undefined) return chooseByName(options, wanted)
  const [only] = all
  if (only !== undefined && all.length === 1 && !asksAlways) return only
  const own = all.find(({ description }) => description === defaultDescription)
  if (ask !== undefined) return chooseByPerson(options, ask, own)
  if (own !== undefined) return own
  throw new ConfigError(
    all.length === 0
      ? `there is no ${kind} yet; name one to be made: ${flag} <name> --create`
      : `there are several ${kind}s, and ${flag} is missing: ${listed(all)}`,
  )
}

/** By id, by name, or by a name in other letters of case where only one has it. */
export function findNamed(all: readonly Named[], wanted: string): Named | undefined {
  const loosely = all.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  return (
    all.find(({ id }) => id === wanted.toLowerCase()) ??
    all.find(({ name }) => name === wanted) ??
    (loosely.length === 1 ? loosely[0] : undefined)
  )
}

async function chooseByName(
  { all, kind, flag, mayMake, make }: ChooseOptions,
  wanted: string,
): Promise<Named> {
  const twins = all.filter(({ name }) => name === wanted)
  if (twins.length > 1) {
    throw new ConfigError(
      `${flag}: several ${kind}s are called "${wanted}"; give an id: ${twins.map(({ id }) => id).join(', ')}`,
    )
  }
  const found = findNamed(all, wanted)
  if (found !== undefined) return found
  if (mayMake) return make(wanted, madeHere)
  const closest = nearest(
    wanted,
    all.map(({ name }) => name),
  )
  const hint = closest === undefined ? '' : `; did you mean ${closest}?`
  throw new ConfigError(
    `${flag}: there is no ${kind} "${wanted}": expected ${all.length === 0 ? 'none, since there are none' : listed(all)}${hint} --create makes it`,
  )
}

/** What the server is told of a thing that nobody described. */
export const madeHere = 'Made by codecarbon init'

async function chooseByPerson(
  { all, kind, make }: ChooseOptions,
  ask: Ask,
  own: Named | undefined,
): Promise<Named> {
  const choices = all.map((one) => ({ value: one as Named | undefined, label: one.name, hint: one.id }))
  const isNew = { value: undefined, label: `a new ${kind}` }
  const chosen =
    all.length === 0 ? undefined : await ask.select(`Which ${kind}?`, [...choices, isNew], own ?? all[0])
  if (chosen !== undefined) return chosen
  const name = await ask.text(`Name of the new ${kind}`, '', nonEmpty)
  return make(name.trim(), await ask.text('Description', madeHere, nonEmpty))
}

/** What is wrong with a text that must say something. */
export const nonEmpty = (text: string): string | undefined =>
  text.trim() === '' ? 'Expected a text that is not empty.' : undefined

/** More would fill the terminal. */
const mostListed = 10

function listed(all: readonly Named[]): string {
  const names = all.slice(0, mostListed).map(({ name }) => name)
  return [...names, ...(all.length > mostListed ? [`${all.length - mostListed} more`] : [])].join(', ')
}
