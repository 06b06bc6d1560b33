import type { IntensityRecord } from '../../core/emissions-data.ts'
import { EnergyError } from '../../core/errors.ts'

/** What a service says about the electricity of this hour or quarter of an hour. */
export interface LiveValue {
  /** Grams of CO2 equivalent per kilowatt-hour. Zero is a value. */
  readonly gramsPerKwh: number
  /** `lifecycle` counts the making of power stations and fuels, `direct` the stack only: they do not compare. */
  readonly basis: 'lifecycle' | 'direct'
  /** Beginning of the time that the value is about, by the service's own clock: milliseconds since 1970. */
  readonly observedAtMs: number
  /** Whether the service estimated or forecast it; `undefined` where it does not say. */
  readonly isEstimated: boolean | undefined
}

/**
 * One service, for one place: what to ask, and how to read the answer. It does no I/O itself. A new one is a file beside the others and a
 * case in `choose-provider.ts`.
 */
export interface LiveProvider {
  /** As it stands in records and messages. */
  readonly name: string
  /** What it is asked about, in words: `zone FR`. */
  readonly area: string
  readonly scope: IntensityRecord['scope']
  /** The whole address. Holds no secret: values are kept on disk under it. */
  readonly url: string
  /** A function, so that no token stands in an object that somebody prints. */
  readonly headers: () => Readonly<Record<string, string>>
  /** The option that holds its token, where it needs one. */
  readonly tokenOption?: string
  /**
   * Reads the JSON of an answer. A pure function.
   * @throws IntensityUnavailable `unusable answer`
   */
  readonly parse: (answer: unknown) => LiveValue
}

/** Ways in which a service can fail to give a value. Each is told once, and is part of the subject of its problem. */
export type FailureKind =
  | 'timeout'
  | 'unreachable'
  | 'redirect'
  | 'token refused'
  | 'unknown place'
  | 'too many requests'
  | 'server error'
  | 'too large'
  | 'unusable answer'
  | 'outdated'
  | 'ahead of the clock'

/** When to ask again after a failure. `hint`: not before the time that the service asks for, where it does. */
export type Retry = 'soon' | 'next refresh' | 'rarely' | 'never'

/** A service gave no usable value. The message holds no text of the service, which might repeat a token. */
export class IntensityUnavailable extends EnergyError {
  readonly kind: FailureKind
  readonly retry: Retry
  /** The service asks to be left alone for this long, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(kind: FailureKind, message: string, retry: Retry = 'soon', retryAfterMs?: number) {
    super('ERR_INTENSITY_UNAVAILABLE', message)
    this.name = 'IntensityUnavailable'
    this.kind = kind
    this.retry = retry
    this.retryAfterMs = retryAfterMs
  }
}

/** An answer that holds no usable value, and why. */
export const unusable = (message: string): IntensityUnavailable =>
  new IntensityUnavailable('unusable answer', message)

/**
 * Nothing is as dirty: the highest yearly figure of a country in `data/grid-intensity.json` is 1306 g/kWh. What is above is in another
 * unit, or not a carbon intensity.
 */
const mostGramsPerKwh = 5000

/** Whether a figure in gCO2e/kWh is possible. */
export const isPossibleIntensity = (gramsPerKwh: number): boolean =>
  gramsPerKwh >= 0 && gramsPerKwh <= mostGramsPerKwh

/** A carbon intensity that is possible. @throws IntensityUnavailable */
export function toGramsPerKwh(value: unknown): number {
  if (typeof value !== 'number') throw unusable('answered without a carbon intensity that is a number')
  if (isPossibleIntensity(value)) return value
  throw unusable(
    `answered with ${value} g/kWh, which cannot be: expected a number from 0 to ${mostGramsPerKwh}`,
  )
}

/** A moment as ISO 8601 with its time zone, in milliseconds since 1970. @throws IntensityUnavailable */
export function toTimeMs(value: unknown): number {
  const isTime =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(value)
  const time = isTime ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw unusable('answered without the time that its value is of')
  return time
}
