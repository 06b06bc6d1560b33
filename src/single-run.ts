import { hostname } from 'node:os'
import { join } from 'node:path'
import { EnergyError, messageOf } from './core/errors.ts'
import { makeDirectory } from './files/make-directory.ts'
import { stateDirectory } from './files/state-directory.ts'
import type { Log } from './log.ts'
import { holderOf, tryLock, type ProcessLock } from './files/process-lock.ts'

/**
 * Sees to it that no other run that asks for the same goes on on this machine, for this user (`allow_multiple_runs=false`).
 *
 * @returns what gives way to others again
 * @throws EnergyError ERR_RUN_REFUSED where another run goes on
 */
export function claimMachine(log: Log): () => void {
  const folder = stateDirectory()
  // A home may be shared by many machines.
  const path = join(folder, `run-${hostname().replace(/[^\w.-]/g, '_')}.lock`)
  let lock: ProcessLock | undefined
  try {
    makeDirectory(folder)
    lock = tryLock(path, { unknownOwnerMs })
  } catch (error) {
    log(
      'warning',
      `allow_multiple_runs: whether others run cannot be told, so this run goes on (${messageOf(error)})`,
    )
    return () => undefined
  }
  if (lock === undefined) {
    const holder = holderOf(path)
    const who = holder === undefined ? 'another process' : `process ${holder}`
    throw new EnergyError(
      'ERR_RUN_REFUSED',
      `allow_multiple_runs is false and ${who} is tracking on this machine (${path})`,
    )
  }
  const held = lock
  const timer = setInterval(() => {
    held.refresh()
  }, refreshMs).unref()
  return () => {
    clearInterval(timer)
    held.release()
  }
}

/** Processes of another container cannot be asked whether they live: their lock holds while it is refreshed. */
const refreshMs = 30_000
const unknownOwnerMs = 10 * refreshMs
