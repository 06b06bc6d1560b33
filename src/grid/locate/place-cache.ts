import { createEntryCache, type EntryCache, type EntryCacheOptions } from '../live/entry-cache.ts'
import { fieldsOf } from '../live/json-fields.ts'
import type { PlaceQuery } from '../place.ts'

/** What is known of one step from an earlier run. Times are milliseconds since 1970. */
export interface KeptPlace {
  /** The words for the place, to be resolved anew. */
  readonly query: PlaceQuery | undefined
  readonly keptAtMs: number
  /** Nobody needs to ask before. */
  readonly notBeforeMs: number | undefined
}

/** Nothing is of use for longer. */
const keptForMs = 7 * 24 * 60 * 60_000

/** A cache of places in one file: no addresses, no coordinates. */
export const createPlaceCache = (
  options: Omit<EntryCacheOptions<KeptPlace>, 'parse' | 'isOfUse'>,
): EntryCache<KeptPlace> =>
  createEntryCache({
    ...options,
    parse: toKept,
    isOfUse: ({ keptAtMs }, wallMs) => keptAtMs <= wallMs && keptAtMs > wallMs - keptForMs,
  })

function toKept(entry: unknown): KeptPlace {
  const { query, keptAtMs, notBeforeMs } = fieldsOf(entry)
  return {
    query: query === undefined ? undefined : toQuery(fieldsOf(query)),
    // Of 1970 where it is missing: too old.
    keptAtMs: toTime(keptAtMs) ?? 0,
    notBeforeMs: toTime(notBeforeMs),
  }
}

const toQuery = (words: Readonly<Record<string, unknown>>): PlaceQuery => ({
  countryIsoCode: toWord(words['countryIsoCode']),
  region: toWord(words['region']),
  cloudProvider: toWord(words['cloudProvider']),
  cloudRegion: toWord(words['cloudRegion']),
})

const toWord = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= 100 ? value : undefined

const toTime = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
