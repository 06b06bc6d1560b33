import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { messageOf } from '../../core/errors.ts'
import { printOnStderr } from '../../log.ts'
import { packageFile } from '../../package-file.ts'
import { installHooks } from './install-hooks.ts'
import { knownHooks } from './known-hooks.ts'
import { findMailbox, type MailboxAddress } from './mailbox-address.ts'
import { tellChildrenWhere } from './own-name.ts'

/** One for all copies of this package in a process or thread. */
const key = Symbol.for('codecarbon.register')
const holder = globalThis as { [key]?: true }

if (holder[key] === undefined) tellChildrenWhere(import.meta.url)
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
  await (mailbox === undefined ? measure() : tell(mailbox))
}

async function measure(): Promise<void> {
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

/** A parent measures. */
async function tell(mailbox: MailboxAddress): Promise<void> {
  const { beginChild } = await import('./child.ts')
  beginChild(mailbox)
  if (mailbox.folder === undefined) return
  await installHooks(knownHooks, {
    integrations: process.env['CODECARBON_INTEGRATIONS'] ?? 'all',
    warn: (message, isAboutNames) => {
      // The parent was given the same names, and has told of them.
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
