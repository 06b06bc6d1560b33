import { dirname, resolve } from 'node:path'
import { readConfigText } from '../config/config-file.ts'
import { editConfig, type ConfigValues } from '../config/edit-config.ts'
import { EnergyError, messageOf } from '../core/errors.ts'
import { withLock } from '../files/file-lock.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { writeWholeFile } from '../files/whole-file.ts'

/**
 * Puts values into a configuration file, which else stays as it is. One that holds a key is for this user alone.
 *
 * @throws ConfigError where it is no such file; EnergyError ERR_EXPORT_FAILED where it cannot be written
 */
export async function writeSettings(path: string, values: ConfigValues): Promise<void> {
  const whole = resolve(path)
  try {
    makeDirectory(dirname(whole))
    await withLock(whole, (file) => {
      const text = editConfig(readConfigText(file) ?? '', values, path)
      writeWholeFile(file, text, holdsKey(text) ? 0o600 : undefined)
    })
  } catch (cause) {
    if (cause instanceof EnergyError) throw cause
    throw new EnergyError('ERR_EXPORT_FAILED', `${path} cannot be written: ${messageOf(cause)}`, { cause })
  }
}

/** Whether a text has a line that sets a key, in whatever section. */
const holdsKey = (text: string): boolean => /^\s*\w*(?:api_key|token|password)\s*[=:]\s*\S/im.test(text)
