import { closeSync, openSync, readFileSync, readlinkSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'

/** A lock whose owner cannot be asked about (another host or container) is given up after this. */
const unknownOwnerMs = 10_000
/** One without its owner's name, which is written at once: whoever made it was killed in that instant. Less than anybody waits. */
const namelessMs = 1000

/**
 * Takes a lock: a file that holds its owner's process number and start time, so that one left behind by a killed process is recognised at
 * once and taken over; `onTakenOver` then cleans up after that process.
 *
 * @returns false where another process holds it
 * @throws the error of the file system where it cannot be made
 */
export function tryLock(lock: string, onTakenOver?: () => void): boolean {
  if (create(lock)) return true
  if (!isAbandoned(lock)) return false
  breakLock(lock, onTakenOver)
  return create(lock)
}

/** Gives a lock back. */
export function unlock(lock: string): void {
  unlinkIfThere(lock)
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

function create(path: string): boolean {
  let descriptor: number
  try {
    descriptor = openSync(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    const owner: Owner = {
      host: hostname(),
      pids: processNumbers(),
      pid: process.pid,
      started: startTime(process.pid),
    }
    writeSync(descriptor, JSON.stringify(owner))
  } catch (error) {
    // A full disk, as a rule: a lock that says nothing would only be in the way.
    unlinkIfThere(path)
    throw error
  } finally {
    closeSync(descriptor)
  }
  return true
}

/**
 * Removes a lock whose owner is gone. Two processes may find it at the same time, and the slower one must not remove the lock that the
 * faster one has made since: a second lock decides who removes, and it looks again before it does.
 */
function breakLock(lock: string, onTakenOver: (() => void) | undefined): void {
  const breaker = `${lock}.break`
  if (!create(breaker)) {
    if (isAbandoned(breaker)) unlinkIfThere(breaker)
    return
  }
  try {
    if (!isAbandoned(lock)) return
    onTakenOver?.()
    unlinkIfThere(lock)
  } finally {
    unlinkIfThere(breaker)
  }
}

function isAbandoned(lock: string): boolean {
  let text: string
  let ageMs: number
  try {
    text = readFileSync(lock, 'utf8')
    ageMs = Date.now() - statSync(lock).mtimeMs
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Tells a process from a later one with the same number; on Linux only. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    // No procfs: the process number alone must do.
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
