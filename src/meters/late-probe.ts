import { messageOf } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import type { Seconds } from '../core/units.ts'

/** What has been opened late, and what went wrong with it. */
export interface OpenedLate {
  readonly probes: readonly Probe[]
  readonly problems: readonly Problem[]
}

/** A probe that opens while the run goes on. */
export interface LateProbe extends Probe {
  /** Settles when it is open, or cannot be; never rejects. */
  readonly opened: Promise<void>
}

/**
 * A probe whose code is loaded, and whose hardware is opened, while the program goes on: most machines have no such hardware, and those that
 * do should start no later. Until then it gives no readings.
 */
export function lateProbe(name: string, maxInterval: Seconds, open: () => Promise<OpenedLate>): LateProbe {
  let probes: readonly Probe[] = []
  let closed = false
  const pending: Problem[] = []
  const closeAll = (): void => {
    for (const probe of probes) probe.close?.()
  }
  const opened = open().then(
    (found) => {
      probes = found.probes
      pending.push(...found.problems)
      if (closed) closeAll()
    },
    (error: unknown) => {
      pending.push({ code: 'ERR_UNMEASURED', subject: name, message: `${name}: ${messageOf(error)}` })
    },
  )
  return {
    name,
    maxInterval,
    opened,
    read(context) {
      const results = closed ? [] : probes.map((probe) => probe.read(context))
      return {
        readings: results.flatMap(({ readings }) => readings),
        problems: [...pending.splice(0), ...results.flatMap(({ problems }) => problems)],
      }
    },
    close() {
      if (closed) return
      closed = true
      closeAll()
    },
  }
}
