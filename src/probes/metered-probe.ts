import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import type { Probe, ProbeResult, ReadContext } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import type { Reading } from '../core/reading.ts'
import { seconds, type Seconds } from '../core/units.ts'
import { MeteredDomain, type MeterPoint } from './linux/metered-domain.ts'
import { errnoOf, isPermission } from './linux/pseudo-file.ts'

/** Options of {@link createMeteredProbe}. */
export interface MeteredProbeOptions {
  readonly name: string
  /** The domains that there are. */
  readonly points: readonly MeterPoint[]
  /** The domains that there are later, when `entries` tells that something came or went. */
  readonly find: () => readonly MeterPoint[]
  /** Names of what is there, cheap to list. */
  readonly entries: () => readonly string[]
  /** Whether domains that turn up later are taken in. Else what counts is settled when the probe is opened. */
  readonly takesNew: boolean
  readonly maxInterval?: Seconds | undefined
  /** Why there is no probe where there is no domain. */
  readonly nothing: () => ProbeUnavailable
  /** What would let this user read a file that he may not. */
  readonly permissionRemedy: (path: string) => string
}

/** For files that everybody may read unless somebody changed that. */
export const readableByAll = (path: string): string => `until the next boot: sudo chmod a+r ${path}`

/** How often it is looked whether meters came, went or got another number: that happens with modules and plugs, so hardly ever. */
const rescanSeconds = 5

/**
 * A probe of meters in sysfs: those that can be read are, each by itself.
 * @throws ProbeUnavailable where none can be read
 */
export function createMeteredProbe(options: MeteredProbeOptions): Probe {
  const { name, find, entries, takesNew, maxInterval, nothing } = options
  const domains = new Map<string, MeteredDomain>()
  let pending: Problem[] = []
  let firstFailure: Failure | undefined

  function add(point: MeterPoint): void {
    const domain = new MeteredDomain(point, name)
    try {
      domain.open()
      domains.set(keyOf(point), domain)
    } catch (error) {
      firstFailure ??= { point, error }
      pending.push(openFailure(point, error))
    }
  }

  let known = entries().join()
  for (const point of options.points) add(point)
  if (domains.size === 0) {
    throw firstFailure === undefined ? nothing() : unreadable(options, firstFailure)
  }
  let lastScan: Seconds | undefined
  let lastRead: Seconds | undefined
  let closed = false

  function rescan(at: Seconds): void {
    lastScan = at
    for (const domain of domains.values()) domain.checkFiles()
    const now = entries().join()
    if (now === known) return
    known = now
    for (const point of find()) {
      const domain = domains.get(keyOf(point))
      if (domain !== undefined) domain.moveTo(point)
      else if (takesNew) add(point)
    }
  }

  return {
    name,
    ...(maxInterval === undefined ? {} : { maxInterval }),
    read(context: ReadContext): ProbeResult {
      if (closed) return { readings: [], problems: [] }
      lastScan ??= context.at
      if (context.at - lastScan >= rescanSeconds) rescan(context.at)
      const gap = seconds(context.at - (lastRead ?? context.at))
      lastRead = context.at
      const problems = pending
      pending = []
      const readings: Reading[] = []
      for (const domain of domains.values()) {
        const problem = domain.update(context, gap)
        if (problem !== undefined) problems.push(problem)
        if (domain.isFresh) readings.push(domain.reading())
      }
      return { readings, problems }
    },
    close() {
      closed = true
      for (const domain of domains.values()) domain.close()
    },
  }
}

interface Failure {
  readonly point: MeterPoint
  readonly error: unknown
}

/** One device may have several domains. */
const keyOf = ({ identity, domain }: MeterPoint): string => `${domain} of ${identity}`

function openFailure({ domain }: MeterPoint, error: unknown): Problem {
  const message = `${domain}: its meter cannot be read (${messageOf(error)}), so its energy is not told`
  return { code: 'ERR_UNMEASURED', subject: domain, message }
}

function unreadable({ permissionRemedy }: MeteredProbeOptions, { point, error }: Failure): ProbeUnavailable {
  const { path } = point
  if (isPermission(error)) {
    return new ProbeUnavailable(
      `${point.domain} may be read by root only: no permission on ${path}`,
      permissionRemedy(path),
      { cause: error },
    )
  }
  const why = errnoOf(error) === undefined ? messageOf(error) : `${messageOf(error)} (${path})`
  return new ProbeUnavailable(`${point.domain} cannot be read: ${why}`, undefined, { cause: error })
}
