import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import { isAlive, parentOf, startTime } from '../../files/process-identity.ts'

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

/** Removes the folders of this user's processes that were killed. Never throws. */
export function removeAbandoned(): void {
  for (const name of ownFolders()) {
    const { isOwnerAlive } = parseName(name) ?? {}
    if (isOwnerAlive?.() !== false) continue
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
    } catch {
      // Somebody else removes it at the same time.
    }
  }
}

/** Names the mailbox to all processes and threads that begin from now on; without a folder they measure nothing and tell nothing. */
export function announceMailbox(folder: string | undefined): void {
  const address = folder ?? `${nameFor(process.pid)}off`
  process.env[mailboxVariable] = address
  setEnvironmentData(environmentKey, address)
}

/** The mailbox of the process that measures for this process or thread; `undefined` where there is none, and it should measure itself. */
export function findMailbox(): MailboxAddress | undefined {
  const ways = [() => getEnvironmentData(environmentKey), () => process.env[mailboxVariable], ofAncestor]
  for (const find of ways) {
    const address = find()
    const found = typeof address === 'string' ? toAddress(address) : undefined
    if (found === undefined) continue
    // Threads that begin later find it, too.
    setEnvironmentData(environmentKey, address)
    return found
  }
  return undefined
}

interface FolderName {
  readonly owner: number
  readonly isOwnerAlive: () => boolean
  readonly isOff: boolean
}

function parseName(name: string): FolderName | undefined {
  const [, pid = '', started = '', rest = ''] = /^codecarbon-(\d+)-(\d+)-(\w+)(?:-gone)?$/.exec(name) ?? []
  if (pid === '') return undefined
  const owner = Number(pid)
  return {
    owner,
    isOwnerAlive: () => isAlive(owner) && (started === '0' || startTime(owner) === started),
    isOff: rest === 'off',
  }
}

function toAddress(address: string): MailboxAddress | undefined {
  const name = parseName(basename(address))
  // A program that has put another in its own place has left its environment behind.
  if (name === undefined || (name.owner === process.pid && isMainThread)) return undefined
  if (!name.isOwnerAlive() || (!name.isOff && !existsSync(address))) return undefined
  // That process measures; but what others can enter is told nothing.
  return { folder: !name.isOff && isPrivate(address) ? address : undefined, isRead: name.isOwnerAlive }
}

/** A parent may give its child an environment without the variable. The folder is then found by the number of a process above this one. */
function ofAncestor(): string | undefined {
  const folders = ownFolders()
  if (folders.length === 0) return undefined
  let pid: number | undefined = process.ppid
  for (let level = 0; level < mostLevels && pid !== undefined; level += 1) {
    const name = folders.find((folder) => parseName(folder)?.owner === pid)
    if (name !== undefined) return join(tmpdir(), name)
    pid = parentOf(pid)
  }
  return undefined
}

/** Of processes above each other, such as shells and package managers. */
const mostLevels = 16

/** Another user's folders are not believed. */
function ownFolders(): readonly string[] {
  try {
    return readdirSync(tmpdir()).filter(
      (name) => parseName(name) !== undefined && isPrivate(join(tmpdir(), name)),
    )
  } catch {
    return []
  }
}

/** Whether that is a folder, and no link to one, which this user alone may enter. On Windows, which has no such modes, whether it is a folder. */
export function isPrivate(folder: string): boolean {
  try {
    const stat = lstatSync(folder)
    if (!stat.isDirectory()) return false
    return process.geteuid === undefined || (stat.uid === process.geteuid() && (stat.mode & 0o777) === 0o700)
  } catch {
    // It is gone.
    return false
  }
}
