import { homedir } from 'node:os'
import { join } from 'node:path'
import { EnergyError } from '../core/errors.ts'

/**
 * Where this user's programs keep their settings: `$XDG_CONFIG_HOME/codecarbon`, else `~/.config/codecarbon` (XDG Base Directory
 * Specification 0.8); `%APPDATA%\codecarbon` on Windows. Never a folder that others may write to.
 *
 * @throws EnergyError ERR_EXPORT_FAILED where this user has no home
 */
export function configDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const configured = environment[process.platform === 'win32' ? 'APPDATA' : 'XDG_CONFIG_HOME']
  if (configured !== undefined && configured !== '') return join(configured, 'codecarbon')
  const home = findHome()
  if (home !== '' && home !== '/') return join(home, '.config', 'codecarbon')
  throw new EnergyError('ERR_EXPORT_FAILED', 'this user has no home to keep a login in; set XDG_CONFIG_HOME')
}

/** A user whom the system does not know, as in a container, has none. */
function findHome(): string {
  try {
    return homedir()
  } catch {
    return ''
  }
}
