import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import { fieldsOf } from './json-fields.ts'

/** Keeps what services answered on disk, for the runs to come and those beside this one. */
export interface EntryCache<Entry> {
  /** What was kept; `undefined` where there is no file or it makes no sense. Never throws. */
  read(key: string): Entry | undefined
  /** Keeps it, and drops what is of no use any more. Never throws. */
  write(key: string, entry: Entry, wallMs: number): void
}

/** Options of {@link createEntryCache}. */
export interface EntryCacheOptions<Entry> {
  readonly file: string
  /** Makes the file's folder. */
  readonly makeDirectory: (path: string) => void
  /** Told once, with the reason, where nothing can be kept. */
  readonly onTrouble: (message: string) => void
  readonly random: () => number
  /** Reads with as much care as an answer: what is on disk may be damaged as well. Where it throws, the whole file is of no use. */
  readonly parse: (entry: unknown) => Entry
  /** Others are dropped when one is written. */
  readonly isOfUse: (entry: Entry, wallMs: number) => boolean
}

/** A file of this cache has some hundred bytes an entry. A larger one is something else. */
const mostBytes = 100_000

/** A cache in one file that only its user may read, written beside and renamed, so that nobody reads half of it. */
export function createEntryCache<Entry>(options: EntryCacheOptions<Entry>): EntryCache<Entry> {
  const { file, makeDirectory, onTrouble, random, parse, isOfUse } = options
  let isTroubleTold = false

  function readEntries(): Readonly<Record<string, Entry>> {
    try {
      if (statSync(file).size > mostBytes) return {}
      const { version, values } = fieldsOf(JSON.parse(readFileSync(file, 'utf8')))
      if (version !== 1) return {}
      return Object.fromEntries(Object.entries(fieldsOf(values)).map(([key, entry]) => [key, parse(entry)]))
    } catch {
      // There is none yet, or it is damaged: the next answer makes it anew.
      return {}
    }
  }

  function write(key: string, entry: Entry, wallMs: number): void {
    const temporary = `${file}.${process.pid}-${Math.floor(random() * 1e9)}.tmp`
    try {
      const entries = Object.entries({ ...readEntries(), [key]: entry })
      const values = Object.fromEntries(entries.filter(([, kept]) => isOfUse(kept, wallMs)))
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

  return { read: (key) => readEntries()[key], write }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Where its folder is no folder there is nothing to remove.
  }
}
