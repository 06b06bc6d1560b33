import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { EnergyError, messageOf } from '../core/errors.ts'
import { makeDirectory } from './make-directory.ts'

/**
 * Writes the whole text beside the file and renames it, so that nobody ever sees half of it. A link is followed and the file's mode is kept;
 * what is there and no file, such as `/dev/null` or a pipe, is written to and not replaced. A `mode` that is given counts whatever the
 * file's and the process' own are.
 *
 * @throws EnergyError ERR_EXPORT_FAILED where it cannot be written
 */
export function writeWholeFile(path: string, text: string | Uint8Array, mode?: number): void {
  let temporary: string | undefined
  try {
    const target = followLinks(resolve(path))
    const there = statSync(target, { throwIfNoEntry: false })
    if (there !== undefined && !there.isFile()) {
      writeFileSync(target, text)
      return
    }
    makeDirectory(dirname(target))
    temporary = `${target}.${process.pid}.tmp`
    const wanted = mode ?? there?.mode
    // From its first moment on, since it may hold a key.
    writeFileSync(temporary, text, wanted === undefined ? {} : { mode: wanted & 0o777 })
    if (wanted !== undefined) chmodSync(temporary, wanted)
    renameSync(temporary, target)
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { force: true })
    throw new EnergyError(
      'ERR_EXPORT_FAILED',
      `${path} cannot be written: ${messageOf(cause).replace(temporary ?? path, path)}`,
      { cause },
    )
  }
}

/** Where a path leads to from here; a working directory that was removed makes that an error of the writing, not of the run. */
export function placeFromHere(path: string): string {
  try {
    return resolve(path)
  } catch {
    return path
  }
}

function followLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // Not there yet.
    return path
  }
}
