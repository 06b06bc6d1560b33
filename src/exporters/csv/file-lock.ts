import {
  closeSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { EnergyError } from '../../core/errors.ts'

/** How long to wait for another process that is writing. It needs a millisecond; this is for a machine on its knees, and ends before the exporter's own deadline. */
const asyncDeadlineMs = 3000
/** The same where the process is ending and nobody else can run. */
const syncDeadlineMs = 2000
const retryMs = 5
/** A lock whose owner cannot be asked about (another host or container) is given up after this. */
const unknownOwnerMs = 10_000
/** One without its owner's name, which is written at once: whoever made it was killed in that instant. Less than anybody waits. */
const namelessMs = 1000

/** Where the holder of a lock writes what is to take the file's place; what a killed one left there goes with its lock. */
export const temporaryPath = (path: string): string => `${path}.tmp`

/**
 * Runs an action while no other process that asks does. The lock is a file beside the one to be written (where a link leads to) that holds its owner's
 * process number and start time, so that one left behind by a killed process is recognised at once and taken over.
 *
 * The action is given the path without links.
 * @throws EnergyError ERR_EXPORT_FAILED where the lock is held for too long; the error of the file system where it cannot be made
 */
export async function withLock<T>(path: string, action: (path: string) => T): Promise<T> {
  const real = realPath(path)
  const lock = `${real}.lock`
  const deadline = performance.now() + asyncDeadlineMs
  while (!tryLock(real, lock)) {
    if (performance.now() > deadline) throw lockedError(real, lock)
    await sleep(retryMs * (1 + Math.random()))
  }
  return runLocked(lock, () => action(real))
}

/** The same without giving way to the event loop. */
export function withLockSync<T>(path: string, action: (path: string) => T): T {
  const real = realPath(path)
  const lock = `${real}.lock`
  const deadline = performance.now() + syncDeadlineMs
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (!tryLock(real, lock)) {
    if (performance.now() > deadline) throw lockedError(real, lock)
    Atomics.wait(pause, 0, 0, retryMs * (1 + Math.random()))
  }
  return runLocked(lock, () => action(real))
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // Not there yet.
    return path
  }
}

function runLocked<T>(lock: string, action: () => T): T {
  try {
    return action()
  } finally {
    unlinkIfThere(lock)
  }
}

const lockedError = (path: string, lock: string): EnergyError =>
  new EnergyError(
    'ERR_EXPORT_FAILED',
    `${path} is locked by another process; if none is writing to it, remove ${lock}`,
  )

function tryLock(path: string, lock: string): boolean {
  if (create(lock)) return true
  if (!isAbandoned(lock)) return false
  breakLock(path, lock)
  return create(lock)
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
function breakLock(path: string, lock: string): void {
  const breaker = `${lock}.break`
  if (!create(breaker)) {
    if (isAbandoned(breaker)) unlinkIfThere(breaker)
    return
  }
  try {
    if (!isAbandoned(lock)) return
    unlinkIfThere(temporaryPath(path))
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
