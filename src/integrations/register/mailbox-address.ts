import { chmodSync, existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import { isAlive, startTime } from '../../files/process-identity.ts'

/**
 * The variable by which children know the mailbox of the process that measures: the path of a folder whose name says which process that is. Where there is no
 * such folder because that process cannot make one, or is itself not tracked, the name stands alone.
 */
export const mailboxVariable = '_CODECARBON_MAILBOX'

/** The same for worker threads, whose environment may be another. */
const environmentKey = 'codecarbon.mailbox'

/** Where a process or a thread tells its scopes. */
export interface MailboxAddress {
  /** `undefined` where nobody wants to be told. */
  readonly folder: string | undefined
  /** Whether whoever measures is still there. */
  readonly isRead: () => boolean
}

const nameFor = (pid: number): string => `codecarbon-${pid}-${startTime(pid) ?? 0}-`

/** Makes the folder of a mailbox, for this user alone. @throws where none can be made */
export function createMailboxFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), nameFor(process.pid)))
  // Whatever the file mode creation mask of the program is.
  chmodSync(folder, 0o700)
  return folder
}

/** Names the mailbox to all processes and threads that begin from now on; without a folder they measure nothing and tell nothing. */
export function announceMailbox(folder: string | undefined): void {
  const address = folder ?? `${nameFor(process.pid)}off`
  process.env[mailboxVariable] = address
  setEnvironmentData(environmentKey, address)
}

/** The mailbox of the process that measures for this process or thread; `undefined` where there is none, and it should measure itself. */
export function findMailbox(): MailboxAddress | undefined {
  const named = [getEnvironmentData(environmentKey), process.env[mailboxVariable]]
  for (const address of [...named, ofParent()]) {
    const found = typeof address === 'string' ? toAddress(address) : undefined
    if (found === undefined) continue
    // Threads that begin later find it, too.
    setEnvironmentData(environmentKey, address)
    return found
  }
  return undefined
}

function toAddress(address: string): MailboxAddress | undefined {
  const [, pid = '', started = '', rest = ''] = /^codecarbon-(\d+)-(\d+)-(\w+)$/.exec(basename(address)) ?? []
  const owner = Number(pid)
  // A program that has put another in its own place has left its environment behind.
  if (pid === '' || (owner === process.pid && isMainThread)) return undefined
  const isRead = (): boolean => isAlive(owner) && (started === '0' || startTime(owner) === started)
  const folder = rest === 'off' ? undefined : address
  if (!isRead() || (folder !== undefined && !existsSync(folder))) return undefined
  return { folder, isRead }
}

/** A parent may give its child an environment without the variable. Its folder is then found by its name; another user's is not believed. */
function ofParent(): string | undefined {
  try {
    const name = readdirSync(tmpdir()).find((entry) => entry.startsWith(nameFor(process.ppid)))
    if (name === undefined) return undefined
    const folder = join(tmpdir(), name)
    return statSync(folder).uid === (process.getuid?.() ?? 0) ? folder : undefined
  } catch {
    return undefined
  }
}
