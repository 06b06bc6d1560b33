import { readFileSync } from 'node:fs'
import { EnergyError, messageOf } from '../../core/errors.ts'

/** How far an upload has come. */
export interface UploadState {
  readonly key: string
  readonly url: string
  /** Things that came. */
  readonly sent: number
  readonly isComplete: boolean
}

/**
 * What is noted of the upload of an archive; `undefined` where nothing is.
 * @throws EnergyError ERR_FILE_UNREADABLE for a file that is something else: to begin again would make a second experiment
 */
export function readUpload(path: string, id: string): UploadState | undefined {
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
