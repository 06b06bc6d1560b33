import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import { fieldsOf, toGramsPerKwh, type LiveValue } from './provider.ts'

/** What is known of one address from an earlier request, of this process or another. Times are milliseconds since 1970. */
export interface Kept {
  readonly value?: (LiveValue & { readonly fetchedAtMs: number }) | undefined
  /** The service asked to be left alone until then. */
  readonly notBeforeMs?: number | undefined
}

/** Keeps the last value of each address on disk, for the runs to come and those beside this one. */
export interface ValueCache {
  /** What was kept; nothing where there is no file or it makes no sense. Never throws. */
  read(url: string): Kept
  /** Keeps it, and drops what is of no use any more. Never throws. */
  write(url: string, kept: Kept, wallMs: number): void
}

/** Options of {@link createValueCache}. */
export interface ValueCacheOptions {
  readonly file: string
  /** Makes the file's folder. */
  readonly makeDirectory: (path: string) => void
  /** Told once, with the reason, where nothing can be kept. */
  readonly onTrouble: (message: string) => void
  readonly random: () => number
}

/** Entries that are older than this are dropped when another is written. */
const keptForMs = 24 * 60 * 60_000
/** A file of this cache has some hundred bytes an entry. A larger one is something else. */
const mostBytes = 100_000

/** A cache in one file that only its user may read, written beside and renamed, so that nobody reads half of it. */
export function createValueCache(options: ValueCacheOptions): ValueCache {
  const { file, makeDirectory, onTrouble, random } = options
  let isTroubleTold = false

  function write(url: string, kept: Kept, wallMs: number): void {
    const temporary = `${file}.${process.pid}-${Math.floor(random() * 1e9)}.tmp`
    const isOfUse = ({ value, notBeforeMs }: Kept): boolean =>
      Math.max(value?.fetchedAtMs ?? 0, notBeforeMs ?? 0) > wallMs - keptForMs
    try {
      const entries = { ...readEntries(file), [url]: kept }
      const values = Object.fromEntries(Object.entries(entries).filter(([, entry]) => isOfUse(entry)))
      makeDirectory(dirname(file))
      writeFileSync(temporary, JSON.stringify({ version: 1, values }), { mode: 0o600, flag: 'wx' })
      // The process may have a umask that takes even this away.
      chmodSync(temporary, 0o600)
      renameSync(temporary, file)
    } catch (error) {
      removeIfThere(temporary)
      if (isTroubleTold) return
      isTroubleTold = true
      onTrouble(messageOf(error))
    }
  }

  return { read: (url) => readEntries(file)[url] ?? {}, write }
}

function readEntries(file: string): Readonly<Record<string, Kept>> {
  try {
    if (statSync(file).size > mostBytes) return {}
    const { version, values } = fieldsOf(JSON.parse(readFileSync(file, 'utf8')))
    if (version !== 1) return {}
    return Object.fromEntries(Object.entries(fieldsOf(values)).map(([url, entry]) => [url, toKept(entry)]))
  } catch {
    // There is none yet, or it is damaged: the next answer makes it anew.
    return {}
  }
}

/** Reads with as much care as an answer: what is on disk may be damaged as well. */
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

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Where its folder is no folder there is nothing to remove.
  }
}
