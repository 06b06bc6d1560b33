import { realpathSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { EnergyError } from '../../core/errors.ts'
import { tryLock, unlock } from '../../process-lock.ts'

/** How long to wait for another process that is writing. It needs a millisecond; this is for a machine on its knees, and ends before the exporter's own deadline. */
const asyncDeadlineMs = 3000
/** The same where the process is ending and nobody else can run. */
const syncDeadlineMs = 2000
const retryMs = 5

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
  while (!tryLock(lock, () => rmSync(temporaryPath(real), { force: true }))) {
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
  while (!tryLock(lock, () => rmSync(temporaryPath(real), { force: true }))) {
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
    unlock(lock)
  }
}

const lockedError = (path: string, lock: string): EnergyError =>
  new EnergyError(
    'ERR_EXPORT_FAILED',
    `${path} is locked by another process; if none is writing to it, remove ${lock}`,
  )
