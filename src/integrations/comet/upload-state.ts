import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EnergyError, messageOf } from '../../core/errors.ts'
import { makeDirectory } from '../../files/make-directory.ts'
import { holderOf, tryLock, type ProcessLock } from '../../files/process-lock.ts'
import { stateDirectory } from '../../files/state-directory.ts'
import { writeWholeFile } from '../../files/whole-file.ts'

/** How far an upload has come. */
export interface UploadState {
  readonly key: string
  readonly url: string
  /** Messages of the archive that came. */
  readonly sent: number
  readonly isComplete: boolean
}

/** What is known of the upload of one archive, while no other process uploads it. */
export interface UploadNotes {
  /** How far it had come; `undefined` where it was not begun. */
  readonly state: UploadState | undefined
  note(state: UploadState): void
  release(): void
}

/** On a host that cannot be asked, an upload is nobody's after this. */
const unknownOwnerMs = 60 * 60_000

/**
 * Opens the notes of an archive. They are kept by its id and not by its path, since it may be moved, copied or come from a folder that cannot be written.
 *
 * @throws EnergyError ERR_FILE_UNREADABLE where another process uploads it; for notes that are something else: to begin again would make
 *   a second experiment. ERR_EXPORT_FAILED where nothing can be noted
 */
export function openUpload(
  id: string,
  folder: string = join(stateDirectory(), 'comet', 'uploads'),
): UploadNotes {
  const path = join(folder, `${id.replace(/[^\w-]/g, '_')}.json`)
  const lock = take(path, folder)
  try {
    return {
      state: readUpload(path, id),
      note(state) {
        writeWholeFile(path, `${JSON.stringify({ schema: 1, offline_id: id, ...state }, undefined, 2)}\n`)
      },
      release() {
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

function take(path: string, folder: string): ProcessLock {
  const lockPath = `${path}.lock`
  let lock: ProcessLock | undefined
  try {
    makeDirectory(folder)
    lock = tryLock(lockPath, { unknownOwnerMs })
  } catch (cause) {
    throw new EnergyError(
      'ERR_EXPORT_FAILED',
      `how far an upload comes cannot be noted in ${folder}: ${messageOf(cause)}; make that folder writable, or set XDG_STATE_HOME to another one`,
      { cause },
    )
  }
  if (lock !== undefined) return lock
  throw new EnergyError(
    'ERR_FILE_UNREADABLE',
    `it is being uploaded by another process (${holderOf(lockPath) ?? 'of another host'})`,
  )
}

function readUpload(path: string, id: string): UploadState | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unreadable(path, messageOf(error))
  }
  const { offline_id: ofId, key, url, sent, isComplete } = parse(text)
  if (typeof key !== 'string' || typeof url !== 'string' || !Number.isInteger(sent)) {
    throw unreadable(path, 'it does not tell how far the upload has come')
  }
  if (ofId !== id) throw unreadable(path, 'it belongs to another archive')
  return { key, url, sent: sent as number, isComplete: isComplete === true }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

const unreadable = (path: string, why: string): EnergyError =>
  new EnergyError(
    'ERR_FILE_UNREADABLE',
    `${path} cannot be used: ${why}; remove it to upload the archive as a new experiment`,
  )
