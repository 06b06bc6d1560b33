import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EnergyError, messageOf } from '../core/errors.ts'

/**
 * Writes the whole text beside the file and renames it, so that nobody ever sees half of it. What is there and no file, such as `/dev/null`
 * or a pipe, is written to and not replaced.
 *
 * @throws EnergyError ERR_EXPORT_FAILED where it cannot be written
 */
export function writeOutputFile(path: string, text: string): void {
  const target = resolve(path)
  const there = statSync(target, { throwIfNoEntry: false })
  const temporary = `${target}.${process.pid}.tmp`
  try {
    if (there !== undefined && !there.isFile()) {
      writeFileSync(target, text)
      return
    }
    writeFileSync(temporary, text)
    renameSync(temporary, target)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new EnergyError('ERR_EXPORT_FAILED', `${path} cannot be written: ${messageOf(cause)}`, { cause })
  }
}

/** Writes on stdout. A reader that has seen enough and gone away, as `head` does, is no error. */
export async function writeStdout(text: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') done()
      else fail(error)
    })
    process.stdout.write(text, () => {
      done()
    })
  })
}
