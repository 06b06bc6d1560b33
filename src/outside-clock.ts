import { AsyncLocalStorage } from 'node:async_hooks'
import { systemClock, type Clock } from './core/clock.ts'

/** Runs a function out of whatever request or job calls this. */
const outside: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot()

/** The clocks of this machine. A timer that is made in a request or job would keep all that is current there until it fires; these do not. */
export const outsideClock: Clock = {
  ...systemClock,
  after: (delayMs, callback) => outside(() => systemClock.after(delayMs, callback)),
}
