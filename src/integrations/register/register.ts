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
    await beginChild(mailbox)
    return
  }
  // What a child has no use for is not loaded there.
  const { beginRoot } = await import('./root.ts')
  const root = await beginRoot()
  if (root === undefined) return
  const { integrations, log } = root
  await installHooks(knownHooks, {
    integrations,
    warn: (message) => {
      log('warning', message)
    },
  })
}

/** Its parent measures. */
async function beginChild(mailbox: MailboxAddress): Promise<void> {
  const scopes = new MailboxScopes(mailbox)
  setProcessScopes(scopes)
  if (mailbox.folder === undefined) return
  onThreadEnd((thread) => {
    scopes.tellThreadEnd(thread)
  })
  await installHooks(knownHooks, {
    integrations: process.env['CODECARBON_INTEGRATIONS'] ?? 'all',
    warn: (message, isAboutNames) => {
      // Its parent was given the same names, and has told of them.
      if (!isAboutNames) process.emitWarning(message, 'CodeCarbonWarning')
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
