import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { messageOf } from '../../core/errors.ts'
import { printOnStderr } from '../../log.ts'
import { packageFile } from '../../package-file.ts'
import { setProcessScopes } from '../../scopes/process-scopes.ts'
import { installHooks } from './install-hooks.ts'
import { knownHooks } from './known-hooks.ts'
import { findMailbox, type MailboxAddress } from './mailbox-address.ts'
import { MailboxScopes } from './mailbox-scopes.ts'
import { onThreadEnd } from './thread-ends.ts'

/** One for all copies of this package in a process or thread. */
const key = Symbol.for('codecarbon.register')
const holder = globalThis as { [key]?: true }

if (holder[key] === undefined && !isOurCommand()) {
  holder[key] = true
  try {
    await begin()
  } catch (error) {
    printOnStderr(`codecarbon/register: this program is not tracked: ${messageOf(error)}\n`)
  }
}

async function begin(): Promise<void> {
  const mailbox = findMailbox()
  if (mailbox !== undefined) {
    beginChild(mailbox)
    if (mailbox.folder !== undefined) await hook(process.env['CODECARBON_INTEGRATIONS'] ?? 'all', false)
    return
  }
  // What a child has no use for is not loaded there.
  const { beginRoot } = await import('./root.ts')
  const { isTracked, integrations } = await beginRoot()
  if (isTracked) await hook(integrations, true)
}

/** Its parent measures. */
function beginChild(mailbox: MailboxAddress): void {
  const scopes = new MailboxScopes(mailbox)
  setProcessScopes(scopes)
  if (mailbox.folder !== undefined) {
    onThreadEnd((thread) => {
      scopes.tellThreadEnd(thread)
    })
  }
}

function hook(integrations: string, isToldOfNames: boolean): Promise<void> {
  return installHooks(knownHooks, {
    integrations,
    warn: (message, isAboutNames) => {
      // Children were given the same names, and their parent has told of them.
      if (isToldOfNames || !isAboutNames) process.emitWarning(message, 'CodeCarbonWarning')
    },
  })
}

/** `codecarbon run` measures its command, and the other commands nothing of their own. */
function isOurCommand(): boolean {
  const [, program] = process.argv
  if (!isMainThread || program === undefined) return false
  try {
    return realpathSync(program) === realpathSync(fileURLToPath(packageFile('dist/cli/main.js')))
  } catch {
    return false
  }
}
