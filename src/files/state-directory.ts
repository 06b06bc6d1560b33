import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Where this user's programs keep what must not be lost: `$XDG_STATE_HOME/codecarbon`, else `~/.local/state/codecarbon`
 * (XDG Base Directory Specification 0.8); `%LOCALAPPDATA%\codecarbon` on Windows; a folder of the user's own in the
 * temporary folder where there is no home.
 */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const configured =
    process.platform === 'win32' ? environment['LOCALAPPDATA'] : environment['XDG_STATE_HOME']
  if (configured !== undefined && configured !== '') return join(configured, 'codecarbon')
  const home = findHome()
  if (home !== '' && home !== '/') return join(home, '.local', 'state', 'codecarbon')
  return join(tmpdir(), `codecarbon-${process.getuid?.() ?? 'user'}`)
}

/** A user whom the system does not know, as in a container, has none. */
function findHome(): string {
  try {
    return homedir()
  } catch {
    return ''
  }
}
