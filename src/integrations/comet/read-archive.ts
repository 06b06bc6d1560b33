import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EnergyError, messageOf } from '../../core/errors.ts'
import { fromLine, type ArchivedMessage } from './archive-lines.ts'

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
  /** A file of the archive; `undefined` where it has none of that name. */
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
  const file = await openFiles(path)
  const facts = parseObject(textIn(file, 'experiment.json', path), `${path}: experiment.json`)
  const lines = new TextDecoder().decode(file('messages.json') ?? new Uint8Array()).split('\n')
  const entries: ArchivedEntry[] = []
  let skipped = 0
  for (const line of lines) {
    if (line.trim() === '') continue
    const value = parseLine(line)
    const message = fromLine(value)
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
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [],
    startMs: milliseconds('start_time'),
    stopMs: milliseconds('stop_time'),
    error: text('error'),
    entries,
    skipped,
    file,
  }
}

type Files = (name: string) => Uint8Array | undefined

async function openFiles(path: string): Promise<Files> {
  try {
    if (statSync(path).isDirectory()) return filesOfFolder(path)
    const bytes = readFileSync(path)
    const { unzipSync } = await import('fflate')
    let size = 0
    const files = unzipSync(bytes, {
      filter({ originalSize }) {
        size += originalSize
        if (size > largestBytes) throw new Error(`it holds more than ${largestBytes / 1024 ** 3} GiB`)
        return true
      },
    })
    return (name) => (Object.hasOwn(files, name) ? files[name] : undefined)
  } catch (cause) {
    throw unreadable(`${path} cannot be read as an archive of an experiment: ${messageOf(cause)}`, cause)
  }
}

/** Only what is in the folder itself: a name in an archive must not lead to the user's other files. */
function filesOfFolder(folder: string): Files {
  const names = new Set(
    readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : [])),
  )
  return (name) => (names.has(name) ? readFileSync(join(folder, name)) : undefined)
}

function textIn(file: Files, name: string, path: string): string {
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
