import { messageOf } from '../../core/errors.ts'
import { forget, saveBeforeEnd } from '../../exit.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import { openMailbox, type Mailbox } from './mailbox.ts'
import { announceMailbox, createMailboxFolder, removeAbandoned } from './mailbox-address.ts'
import { shareThreadsCpu } from './own-cpu.ts'
import { onThreadEnd } from './thread-ends.ts'

/** What measures, and is told the scopes of children. */
export interface Root {
  readonly scopes: ScopeSource
  /** Begins to measure. @returns whether it does; else children measure nothing either */
  begin(): boolean
  /** Is told why children cannot tell anything. */
  warn(message: string): void
}

/** By then a program has come to its own business. */
const tidyMs = 1000

/** Reads the mailbox until the process ends, or what is returned is called. */
export type CloseMailbox = () => void

/**
 * Makes a mailbox, begins to measure, and reads what children tell. Ends come in the order in which they were asked for: that of the mailbox is before that of
 * the measurement.
 *
 * @returns `undefined` where nothing is measured
 */
export function readMailbox(root: Root): CloseMailbox | undefined {
  const mailbox = open(root)
  if (mailbox === undefined) return root.begin() ? () => undefined : undefined
  const close = (): void => {
    mailbox.close()
    forget(unsaved)
  }
  const unsaved = {
    saveAtExit: close,
    saveAtSignal() {
      mailbox.collect()
    },
    sendBeforeEnd() {
      mailbox.collect()
      return Promise.resolve(true)
    },
  }
  saveBeforeEnd(unsaved)
  if (!root.begin()) {
    close()
    announceMailbox(undefined)
    return undefined
  }
  setTimeout(removeAbandoned, tidyMs).unref()
  onThreadEnd((thread) => {
    mailbox.threadEnded(thread)
  })
  return close
}

function open(root: Root): Mailbox | undefined {
  try {
    const folder = createMailboxFolder()
    announceMailbox(folder)
    shareThreadsCpu()
    return openMailbox(folder, root.scopes)
  } catch (error) {
    root.warn(
      `what child processes and worker threads do is measured, but not told by job or request, since there can be no folder for it: ${messageOf(error)}`,
    )
    announceMailbox(undefined)
    return undefined
  }
}
