import { realpathSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { EnergyError } from '../core/errors.ts'
import { tryLock, type ProcessLock } from './process-lock.ts'

/** How long to wait for another process that is writing. It needs a millisecond; this is for a machine on its knees, and ends before the exporter's own deadline. */
const asyncDeadlineMs = 3000
/** The same where the process is ending and nobody else can run. */
const syncDeadlineMs = 2000
const retryMs = 5

/** A lock whose owner cannot be asked about is given up after this: no row takes so long to write. */
const unknownOwnerMs = 10_000

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
  let held = tryLockOf(real, lock)
  while (held === undefined) {
    if (performance.now() > deadline) throw lockedError(real, lock)
    await sleep(retryMs * (1 + Math.random()))
    held = tryLockOf(real, lock)
  }
  return runLocked(held, () => action(real))
}

/** The same without giving way to the event loop. */
export function withLockSync<T>(path: string, action: (path: string) => T): T {
  const real = realPath(path)
  const lock = `${real}.lock`
  const deadline = performance.now() + syncDeadlineMs
  const pause = new Int32Array(new SharedArrayBuffer(4))
  let held = tryLockOf(real, lock)
  while (held === undefined) {
    if (performance.now() > deadline) throw lockedError(real, lock)
    Atomics.wait(pause, 0, 0, retryMs * (1 + Math.random()))
    held = tryLockOf(real, lock)
  }
  return runLocked(held, () => action(real))
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // Not there yet.
    return path
  }
}

/** What a killed writer left beside the file goes with its lock. */
const tryLockOf = (path: string, lock: string): ProcessLock | undefined =>
  tryLock(lock, {
    unknownOwnerMs,
    onTakenOver: () => {
      rmSync(temporaryPath(path), { force: true })
    },
  })

function runLocked<T>(lock: ProcessLock, action: () => T): T {
  try {
    return action()
  } finally {
    lock.release()
  }
}

const lockedError = (path: string, lock: string): EnergyError =>
  new EnergyError(
    'ERR_EXPORT_FAILED',
    `${path} is locked by another process; if none is writing to it, remove ${lock}`,
  )
