import { join } from 'node:path'
import { EnergyError, messageOf } from './core/errors.ts'
import { makeDirectory } from './exporters/make-directory.ts'
import { stateDirectory } from './exporters/state-directory.ts'
import type { Log } from './log.ts'
import { holderOf, tryLock, unlock } from './process-lock.ts'

/**
 * Sees to it that no other run that asks for the same goes on on this machine, for this user (`allow_multiple_runs=false`).
 *
 * @returns what gives way to others again
 * @throws EnergyError ERR_RUN_REFUSED where another run goes on
 */
export function claimMachine(log: Log): () => void {
  const folder = stateDirectory()
  const lock = join(folder, 'run.lock')
  try {
    makeDirectory(folder)
    if (tryLock(lock)) {
      return () => {
        unlock(lock)
      }
    }
  } catch (error) {
    log(
      'warning',
      `allow_multiple_runs: whether others run cannot be told, so this run goes on (${messageOf(error)})`,
    )
    return () => undefined
  }
  const holder = holderOf(lock)
  throw new EnergyError(
    'ERR_RUN_REFUSED',
    `allow_multiple_runs is false and ${holder === undefined ? 'another process' : `process ${holder}`} is tracking on this machine (${lock})`,
  )
}
