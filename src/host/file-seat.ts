import { hostname } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../core/errors.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { holderOf, tryLock, type ProcessLock } from '../files/process-lock.ts'
import { stateDirectory } from '../files/state-directory.ts'
import type { Seat, SeatOptions } from './seat.ts'

/** How soon another takes over where a process was killed: looking costs a few system calls. */
const lookMs = 5000
/** Processes that cannot be asked whether they live hold it while they refresh it. */
const unknownOwnerMs = 60_000

/**
 * A seat for systems whose sockets outlive their process: a lock file in this user's folder, so that it is one of the user, not of the machine. A
 * folder that cannot be written makes it nobody's, and everybody's.
 */
export function takeFileSeat(options: SeatOptions, folder: string = stateDirectory()): Seat {
  const { clock, onChange, onHolder, onUnusable } = options
  // A home may be shared by many machines.
  const path = join(folder, `${options.name}-${hostname().replace(/[^\w.-]/g, '_')}.lock`)
  let lock: ProcessLock | undefined
  let holder: number | undefined
  let isUnusable = false
  let isClosed = false
  let cancelLook = (): void => undefined

  function look(): void {
    if (lock?.refresh() === true) return
    try {
      makeDirectory(folder)
      lock = tryLock(path, { unknownOwnerMs })
      isUnusable = false
    } catch (error) {
      lock = undefined
      if (!isUnusable) onUnusable(messageOf(error))
      isUnusable = true
    }
    if (lock !== undefined || isUnusable) return
    const other = holderOf(path)
    if (other !== undefined && other !== holder) onHolder(other)
    holder = other
  }
  const isOurs = (): boolean => lock !== undefined || isUnusable

  function lookAgain(): void {
    if (isClosed) return
    const before = isOurs()
    look()
    if (isOurs() !== before) onChange()
    cancelLook = clock.after(lookMs, lookAgain)
  }

  look()
  cancelLook = clock.after(lookMs, lookAgain)
  return {
    get isOurs() {
      return isOurs()
    },
    close() {
      isClosed = true
      cancelLook()
      lock?.release()
      lock = undefined
    },
  }
}
