import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EnergyError, messageOf } from '../../core/errors.ts'
import { holderOf, tryLock, type ProcessLock } from '../../files/process-lock.ts'
import { unknownWriterMs, writerLock } from './archive.ts'
import { fromLine, type ArchivedMessage } from './archive-lines.ts'
import { longestError, toName } from './message.ts'

/** An experiment that was written offline, by this package or by `comet_ml`. */
export interface ArchivedExperiment {
  readonly id: string
  readonly workspace: string | undefined
  readonly projectName: string | undefined
  readonly experimentName: string | undefined
  /** Of the experiment that it is to be added to. */
  readonly experimentKey: string | undefined
  /** The name under which the server may have made it though its answer was lost. */
  readonly ownName: string | undefined
  readonly tags: readonly string[]
  /** Milliseconds since 1970. */
  readonly startMs: number | undefined
  readonly stopMs: number | undefined
  /** What it ended by, where it failed. */
  readonly error: string | undefined
  readonly entries: readonly ArchivedEntry[]
  /** Lines that say nothing which can be told through REST. */
  readonly skipped: number
  /** Whether it has a file of that name. */
  has(name: string): boolean
  /** A file of the archive, which is read when it is asked for; `undefined` where it has none of that name. */
  file(name: string): Uint8Array | undefined
}

/** A message, and whether it may have come to the server before. */
export interface ArchivedEntry {
  readonly message: ArchivedMessage
  readonly isUncertain: boolean
}

/** More would not fit into memory. */
const largestBytes = 1024 * 1024 * 1024

/**
 * Reads an archive: a zip file, or a folder that a process left behind before it could be packed.
 * @throws EnergyError ERR_FILE_UNREADABLE
 */
export async function readArchive(path: string): Promise<ArchivedExperiment> {
  const { has, read: file } = await openFiles(path)
  const facts = parseObject(textIn(file, 'experiment.json', path), `${path}: experiment.json`)
  const lines = new TextDecoder().decode(file('messages.json') ?? new Uint8Array()).split('\n')
  const entries: ArchivedEntry[] = []
  let skipped = 0
  for (const [number, line] of lines.entries()) {
    if (line.trim() === '') continue
    const value = parseLine(line)
    const message = fromLine(value, number)
    if (message === undefined) skipped += 1
    else entries.push({ message, isUncertain: isDoubted(value) })
  }
  const text = (name: string): string | undefined => {
    const value = facts[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const milliseconds = (name: string): number | undefined => {
    const value = facts[name]
    return typeof value === 'number' && value > 0 ? Math.round(value) : undefined
  }
  const id = text('offline_id')
  if (id === undefined)
    throw unreadable(
      `${path}: experiment.json names no offline_id: this is no archive of an experiment of Comet`,
    )
  const { tags } = facts
  return {
    id,
    workspace: text('workspace'),
    projectName: text('project_name'),
    experimentName: text('experiment_name'),
    experimentKey: text('experiment_key'),
    ownName: text('made_as'),
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string').map(toName) : [],
    startMs: milliseconds('start_time'),
    stopMs: milliseconds('stop_time'),
    error: text('error')?.slice(0, longestError),
    ...{ entries, skipped, has, file },
  }
}

interface Files {
  readonly has: (name: string) => boolean
  readonly read: (name: string) => Uint8Array | undefined
}

async function openFiles(path: string): Promise<Files> {
  try {
    return statSync(path).isDirectory() ? filesOfFolder(path) : await filesOfZip(path)
  } catch (cause) {
    if (cause instanceof EnergyError) throw cause
    throw unreadable(`${path} cannot be read as an archive of an experiment: ${messageOf(cause)}`, cause)
  }
}

async function filesOfZip(path: string): Promise<Files> {
  const bytes = readFileSync(path)
  if (bytes.length === 0) throw new Error('it is empty')
  // Every zip file begins with PK (APPNOTE.TXT 4.3.7, 4.3.16).
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) throw new Error('it is no zip file')
  const { unzipSync } = await import('fflate')
  const names = new Set<string>()
  let size = 0
  try {
    unzipSync(bytes, {
      filter({ name, originalSize }) {
        names.add(name)
        size += originalSize
        return false
      },
    })
  } catch (cause) {
    throw new Error('the zip file is damaged or was not copied to its end', { cause })
  }
  if (size > largestBytes) throw new Error(`it holds more than ${largestBytes / 1024 ** 3} GiB`)
  return {
    has: (name) => names.has(name),
    read: (name) => unzipSync(bytes, { filter: (one) => one.name === name })[name],
  }
}

/** Only what is in the folder itself: a name in an archive must not lead to the user's other files. */
function filesOfFolder(folder: string): Files {
  checkWriter(folder)
  const names = new Set(
    readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : [])),
  )
  return {
    has: (name) => names.has(name),
    read: (name) => (names.has(name) ? readFileSync(join(folder, name)) : undefined),
  }
}

/** What comes after an upload would be left out. */
function checkWriter(folder: string): void {
  const path = join(folder, writerLock)
  if (!existsSync(path)) return
  let lock: ProcessLock | undefined
  try {
    lock = tryLock(path, { unknownOwnerMs: unknownWriterMs })
  } catch {
    // Nobody can write there.
    return
  }
  if (lock === undefined)
    throw unreadable(
      `${folder} is still being written by process ${holderOf(path) ?? 'of another host'}: upload it when that has ended`,
    )
  lock.release()
}

function textIn(file: Files['read'], name: string, path: string): string {
  const bytes = file(name)
  if (bytes === undefined)
    throw unreadable(`${path} has no ${name}: this is no archive of an experiment of Comet`)
  return new TextDecoder().decode(bytes)
}

function parseObject(text: string, where: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Told below.
  }
  throw unreadable(`${where} is no JSON object`)
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // The last line of a process that was killed.
    return undefined
  }
}

const isDoubted = (value: unknown): boolean => {
  const { payload } = value as { readonly payload?: { readonly is_uncertain?: unknown } }
  return payload?.is_uncertain === true
}

const unreadable = (message: string, cause?: unknown): EnergyError =>
  new EnergyError('ERR_FILE_UNREADABLE', message, cause === undefined ? undefined : { cause })
