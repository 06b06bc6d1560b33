import { createEntryCache, type EntryCache, type EntryCacheOptions } from './entry-cache.ts'
import { fieldsOf } from './json-fields.ts'
import { toGramsPerKwh, type LiveValue } from './provider.ts'

/** What is known of one address from an earlier request, of this process or another. Times are milliseconds since 1970. */
export interface Kept {
  readonly value?: (LiveValue & { readonly fetchedAtMs: number }) | undefined
  /** The service asked to be left alone until then. */
  readonly notBeforeMs?: number | undefined
}

/** Keeps the last value of each address on disk. */
export type ValueCache = EntryCache<Kept>

/** Options of {@link createValueCache}. */
export type ValueCacheOptions = Omit<EntryCacheOptions<Kept>, 'parse' | 'isOfUse'>

/** Entries that are older than this are dropped when another is written. */
const keptForMs = 24 * 60 * 60_000

/** A cache of live values in one file. */
export const createValueCache = (options: ValueCacheOptions): ValueCache =>
  createEntryCache({ ...options, parse: toKept, isOfUse })

const isOfUse = ({ value, notBeforeMs }: Kept, wallMs: number): boolean =>
  Math.max(value?.fetchedAtMs ?? 0, notBeforeMs ?? 0) > wallMs - keptForMs

function toKept(entry: unknown): Kept {
  const { value, notBeforeMs } = fieldsOf(entry)
  return { value: toValue(value), notBeforeMs: toTime(notBeforeMs) }
}

function toValue(entry: unknown): Kept['value'] {
  const { gramsPerKwh, basis, observedAtMs, fetchedAtMs, isEstimated } = fieldsOf(entry)
  const times = { observedAtMs: toTime(observedAtMs), fetchedAtMs: toTime(fetchedAtMs) }
  if (basis !== 'lifecycle' && basis !== 'direct') return undefined
  if (times.observedAtMs === undefined || times.fetchedAtMs === undefined) return undefined
  return {
    gramsPerKwh: toGramsPerKwh(gramsPerKwh),
    basis,
    observedAtMs: times.observedAtMs,
    fetchedAtMs: times.fetchedAtMs,
    isEstimated: typeof isEstimated === 'boolean' ? isEstimated : undefined,
  }
}

const toTime = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
