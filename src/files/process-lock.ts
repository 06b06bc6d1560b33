import {
  closeSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { isAlive, startTime } from './process-identity.ts'

/** A lock that was taken. */
export interface ProcessLock {
  /** Gives it back; another's that has taken its place is left alone. */
  release(): void
  /** Says to those who cannot ask that it is still held. False where another's has taken its place. */
  refresh(): boolean
}

/** How a lock is taken. */
export interface LockOptions {
  /** A lock whose owner cannot be asked about (another host or container) is given up when it was not refreshed for this long. */
  readonly unknownOwnerMs: number
  /** Cleans up after a process that left its lock behind. */
  readonly onTakenOver?: () => void
}

/** A lock without its owner's name, which is written at once: whoever made it was killed in that instant. Less than anybody waits. */
const namelessMs = 1000

/**
 * Takes a lock: a file that holds its owner's process number and start time, so that one left behind by a killed process is recognised at
 * once and taken over.
 *
 * @returns `undefined` where another process holds it
 * @throws the error of the file system where it cannot be made
 */
export function tryLock(path: string, options: LockOptions): ProcessLock | undefined {
  const taken = create(path)
  if (taken !== undefined) return taken
  if (!isAbandoned(path, options)) return undefined
  breakLock(path, options)
  return create(path)
}

/** Number of the process that holds a lock; `undefined` where it does not say. */
export function holderOf(lock: string): number | undefined {
  try {
    return parseOwner(readFileSync(lock, 'utf8'))?.pid
  } catch {
    // Released while we looked.
    return undefined
  }
}

function create(path: string): ProcessLock | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
  const owner: Owner = {
    host: hostname(),
    pids: processNumbers(),
    pid: process.pid,
    started: startTime(process.pid),
    // Tells this lock from another one of the same process.
    at: performance.now(),
  }
  const text = JSON.stringify(owner)
  try {
    writeSync(descriptor, text)
  } catch (error) {
    // A full disk, as a rule: a lock that says nothing would only be in the way.
    unlinkIfThere(path)
    throw error
  } finally {
    closeSync(descriptor)
  }
  const isOurs = (): boolean => attempt(() => readFileSync(path, 'utf8')) === text
  return {
    release() {
      if (isOurs()) unlinkIfThere(path)
    },
    refresh() {
      if (!isOurs()) return false
      attempt(() => utimesSync(path, new Date(), new Date()))
      return true
    },
  }
}

/** What cannot be done to a lock now is for whoever looks at it next. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

/**
 * Removes a lock whose owner is gone. Two processes may find it at the same time, and the slower one must not remove the lock that the
 * faster one has made since: a second lock decides who removes, and it looks again before it does.
 */
function breakLock(path: string, options: LockOptions): void {
  const breakerPath = `${path}.break`
  const breaker = create(breakerPath)
  if (breaker === undefined) {
    if (isAbandoned(breakerPath, options)) unlinkIfThere(breakerPath)
    return
  }
  try {
    if (!isAbandoned(path, options)) return
    options.onTakenOver?.()
    unlinkIfThere(path)
  } finally {
    breaker.release()
  }
}

function isAbandoned(path: string, { unknownOwnerMs }: LockOptions): boolean {
  let text: string
  let ageMs: number
  try {
    text = readFileSync(path, 'utf8')
    ageMs = Date.now() - statSync(path).mtimeMs
  } catch {
    // It was released while we looked.
    return false
  }
  const owner = parseOwner(text)
  if (owner === undefined) return ageMs > namelessMs
  if (owner.host !== hostname() || owner.pids !== processNumbers()) return ageMs > unknownOwnerMs
  return !isAlive(owner.pid) || (owner.started !== undefined && startTime(owner.pid) !== owner.started)
}

interface Owner {
  readonly host: string
  /** Which of the host's ways of numbering processes `pid` is of. */
  readonly pids?: string | undefined
  readonly pid: number
  readonly started?: string | undefined
  readonly at?: number
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner
    return typeof owner.pid === 'number' && typeof owner.host === 'string' ? owner : undefined
  } catch {
    // Its owner was killed between making and writing it.
    return undefined
  }
}

/** Containers may share a host's name, though each numbers its processes anew (pid_namespaces(7)). */
function processNumbers(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    // Not Linux, or no procfs: there is only one way to number them.
    return undefined
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
