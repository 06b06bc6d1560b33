import { nearest } from '../../config/nearest.ts'
import { ConfigError } from '../../core/errors.ts'
import { gramsAt, joules } from '../../core/units.ts'
import { publishedFactors, type PublishedFactorName } from './published-factors.ts'

/** What somebody has published of the energy that a model uses elsewhere, for each token that it makes. */
export interface RemoteFactor {
  readonly name: string
  /** Who published it, where, and of which year it is. */
  readonly source: string
  readonly energyJoulesPerOutputToken: number
  /** Low end of its interval, in joules per output token. */
  readonly low: number
  /** High end of its interval, in joules per output token. */
  readonly high: number
  /** Carbon intensity of the electricity there, in grams of CO2 equivalents per kWh; without it no emissions are told. */
  readonly gramsPerKwh?: number | undefined
}

/** Which model was called where. */
export interface ModelName {
  readonly provider: string
  readonly model: string
}

/** A factor, the name of a published one, or what chooses one for a model; `undefined` for a model is no estimate. */
export type RemoteFactorOption =
  RemoteFactor | PublishedFactorName | ((call: ModelName) => RemoteFactor | PublishedFactorName | undefined)

/** What a model may have used elsewhere. Always an estimate, and no part of what was measured here. */
export interface RemoteEstimate {
  readonly method: 'estimated'
  /** Name of the factor. */
  readonly factor: string
  /** Source of the factor. */
  readonly source: string
  readonly energyJoules: number
  readonly energyLowJoules: number
  readonly energyHighJoules: number
  /** Grams of CO2 equivalents; `undefined` where the factor has no carbon intensity. */
  readonly emissionsGrams: number | undefined
  readonly emissionsLowGrams: number | undefined
  readonly emissionsHighGrams: number | undefined
}

const keys = ['name', 'source', 'energyJoulesPerOutputToken', 'low', 'high', 'gramsPerKwh']

/** @throws ConfigError for a wrong factor, and for a name that no published one has */
export function toFactor(given: unknown): RemoteFactor {
  if (typeof given === 'string') return published(given)
  if (typeof given !== 'object' || given === null)
    throw wrong('expected a factor, the name of a published one, or a function that chooses one')
  for (const key of Object.keys(given)) {
    if (keys.includes(key)) continue
    const meant = nearest(key, keys)
    throw wrong(`there is no "${key}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`)
  }
  const factor = given as RemoteFactor
  for (const key of ['name', 'source'] as const)
    if (typeof factor[key] !== 'string' || factor[key] === '') throw wrong(`${key}: expected a text`)
  const { energyJoulesPerOutputToken, low, high, gramsPerKwh } = factor
  for (const [key, value] of Object.entries({ energyJoulesPerOutputToken, low, high, gramsPerKwh }))
    if (!(key === 'gramsPerKwh' && value === undefined) && !isQuantity(value))
      throw wrong(`${key}: expected a number from 0`)
  if (low > energyJoulesPerOutputToken || high < energyJoulesPerOutputToken)
    throw wrong('expected low <= energyJoulesPerOutputToken <= high, each in joules per output token')
  return factor
}

function published(name: string): RemoteFactor {
  if (Object.hasOwn(publishedFactors, name)) return publishedFactors[name as PublishedFactorName]
  const names = Object.keys(publishedFactors)
  const meant = nearest(name, names)
  throw wrong(
    `there is no published factor "${name}"; ${meant === undefined ? `there are ${names.join(', ')}` : `did you mean "${meant}"?`}`,
  )
}

/** What making so many tokens may have taken, by the factor. */
export function estimateRemote(factor: RemoteFactor, outputTokens: number): RemoteEstimate {
  const { name, source, energyJoulesPerOutputToken, low, high, gramsPerKwh } = factor
  const emissions = (energy: number): number | undefined =>
    gramsPerKwh === undefined ? undefined : gramsAt(joules(energy), gramsPerKwh)
  const energyJoules = outputTokens * energyJoulesPerOutputToken
  const energyLowJoules = outputTokens * low
  const energyHighJoules = outputTokens * high
  return {
    method: 'estimated',
    factor: name,
    source,
    energyJoules,
    energyLowJoules,
    energyHighJoules,
    emissionsGrams: emissions(energyJoules),
    emissionsLowGrams: emissions(energyLowJoules),
    emissionsHighGrams: emissions(energyHighJoules),
  }
}

const isQuantity = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

const wrong = (message: string): ConfigError => new ConfigError(`option remoteFactor: ${message}`)
