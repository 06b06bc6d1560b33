import { spawn } from 'node:child_process'
import { release } from 'node:os'

/** A command that opens the address that is added to it. */
type Opener = readonly [command: string, ...args: string[]]

/** Whether a person at this terminal can be shown a page. */
export const hasBrowser = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  openerFor(environment) !== undefined

/** Opens an address in the user's browser. Does not say whether it came about: the address is printed as well. */
export function openBrowser(address: string, environment: NodeJS.ProcessEnv = process.env): void {
  const opener = openerFor(environment)
  if (opener === undefined) return
  const [command, ...args] = opener
  const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true })
  // Whoever has no such program opens the address that is printed.
  child.on('error', () => undefined)
  child.unref()
}

/** `BROWSER` as other programs read it: the path of a program that takes an address. */
function openerFor(environment: NodeJS.ProcessEnv): Opener | undefined {
  const chosen = environment['BROWSER']
  if (chosen !== undefined && chosen !== '') return [chosen]
  const isRemote = environment['SSH_CONNECTION'] !== undefined
  if (process.platform === 'darwin') return isRemote ? undefined : ['open']
  if (process.platform === 'win32') return isRemote ? undefined : ['rundll32', 'url.dll,FileProtocolHandler']
  // Windows' Subsystem for Linux shows pages in the browser of Windows.
  if (/microsoft/i.test(release())) return ['rundll32.exe', 'url.dll,FileProtocolHandler']
  const hasDisplay = [environment['DISPLAY'], environment['WAYLAND_DISPLAY']].some(Boolean)
  return hasDisplay ? ['xdg-open'] : undefined
}
