import { createHook, type AsyncHook } from 'node:async_hooks'
import type { Scope } from '../core/scopes.ts'
import { fromMicroseconds, fromMilliseconds, seconds, type Seconds } from '../core/units.ts'

/** CPU time of this thread, or, before Node 22.15, the time of the clock, which is the same while nothing else runs on its processor. */
export function threadTime(): Seconds {
  if (threadCpuUsage === undefined) return fromMilliseconds(performance.now())
  const { user, system } = threadCpuUsage.call(process)
  return fromMicroseconds(user + system)
}

const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } }

/** Tells which time of the thread each scope took. */
export interface ThreadTimes {
  /** Runs a function whose time is that of a scope. */
  within<T>(scope: Scope, fn: () => T): T
  /** What each scope took since this was called last. */
  take(): ReadonlyMap<Scope, Seconds>
  close(): void
}

/**
 * Follows every callback of the thread, which costs programs of many promises much of their speed: what runs in a callback is the work of the scope that the
 * callback was made in. Work of the thread pool is none of the thread's.
 *
 * @param current the scope that is current where it is asked
 * @param now time of the thread
 */
export function createThreadTimes(
  current: () => Scope | undefined,
  now: () => Seconds = threadTime,
): ThreadTimes {
  const taken = new Map<Scope, Seconds>()
  let running: Scope | undefined
  let since = now()

  /** What ran up to now was the one's; from here on it is the other's. */
  function turn(to: Scope | undefined): void {
    const at = now()
    if (running !== undefined) taken.set(running, seconds((taken.get(running) ?? 0) + at - since))
    running = to
    since = at
  }

  /** Callbacks may run within others. */
  const outer: (Scope | undefined)[] = []
  const hook: AsyncHook = createHook({
    before() {
      outer.push(running)
      turn(current())
    },
    after() {
      turn(outer.pop())
    },
  }).enable()

  return {
    within(scope, fn) {
      const before = running
      turn(scope)
      try {
        return fn()
      } finally {
        turn(before)
      }
    },
    take() {
      turn(running)
      const all = new Map(taken)
      taken.clear()
      return all
    },
    close() {
      hook.disable()
    },
  }
}
