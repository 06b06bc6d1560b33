import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import type { Probe, ProbeResult, ReadContext } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import type { Component, Reading } from '../core/reading.ts'
import { joules, seconds, type Joules, type Seconds } from '../core/units.ts'
import { isInContainer } from './linux/container.ts'
import { findPowercapDomains, type PowercapDomain, type PowercapZone } from './linux/powercap.ts'
import { isPermission } from './linux/pseudo-file.ts'
import { showsOneCounter } from './linux/mirrored-counter.ts'
import { remedyForNoZones, remedyForPermission } from './linux/rapl-remedy.ts'
import { RaplZone } from './linux/rapl-zone.ts'

/** Options of {@link createRaplProbe}. */
export interface RaplOptions {
  /** Root of sysfs. @default '/sys' */
  readonly sysfsPath?: string
  /** Measure memory by its own counter where there is one. @default true */
  readonly includeDram?: boolean
  /** Let the whole-platform counter stand for CPU and memory together, where there is one. @default false */
  readonly preferPsys?: boolean
  /** Whether this is a container, for the advice alone. @default what the system says */
  readonly isContainer?: boolean
}

/** The probe, and the components it measures here. */
export interface RaplProbe extends Probe {
  readonly components: readonly Component[]
  /** True where the platform counter stands for processors and memory together. */
  readonly isWholePlatform: boolean
}

/** How often the list of zones is looked at again: zones come and go with kernel modules and CPU hot-plug, which nobody does often. */
const rescanSeconds = 5

/**
 * Intel and AMD processor and memory energy from the kernel's powercap files, `energy_uj` of the zones in `<sysfs>/class/powercap`.
 *
 * Needs read permission on `energy_uj` (root only since Linux 5.10). Counters step by 15 or 61 µJ about every millisecond and wrap at
 * 65 or 262 kJ. Not included: graphics cards, disks, fans, power supply losses; memory where the processor has no `dram` counter.
 *
 * @throws ProbeUnavailable where there is no readable counter; its `remedy` says what would help.
 */
export function createRaplProbe(options: RaplOptions = {}): RaplProbe {
  const { sysfsPath = '/sys', includeDram = true, preferPsys = false, isContainer } = options
  const found = wanted(findPowercapDomains(sysfsPath), includeDram)
  if (found.length === 0) throw noZones(sysfsPath, isContainer)

  const zones = new Map<string, RaplZone>()
  const failures: { zone: PowercapZone; error: unknown }[] = []
  let firstError: unknown
  for (const ways of found) {
    const opened = new RaplZone(ways)
    try {
      opened.open(ways)
      opened.baseline()
      zones.set(opened.domain, opened)
    } catch (error) {
      opened.close()
      firstError ??= error
      failures.push({ zone: ways[0], error })
    }
  }
  const has = (kind: string): boolean => [...zones.values()].some((zone) => zone.kind === kind)
  const psysCounts = has('psys') && (preferPsys || !has('package'))
  if (!psysCounts && !has('package')) {
    for (const zone of zones.values()) zone.close()
    throw unreadable(sysfsPath, found, firstError, isContainer)
  }
  const isPlatform = ({ kind }: RaplZone): boolean => psysCounts && kind === 'psys'
  const platforms = [...zones.values()].filter(isPlatform).map(({ domain }) => domain)
  for (const zone of zones.values()) zone.place(platforms)
  const mirrors = findMirrors([...zones.values()])
  const limits = [...zones.values()].flatMap(({ unambiguous }) => unambiguous ?? [])
  // Half of it, for a timer may be late.
  const maxInterval = limits.length > 0 ? seconds(Math.min(...limits) / 2) : undefined
  const knowsDram = has('dram')
  const components: readonly Component[] = psysCounts || knowsDram ? ['cpu', 'ram'] : ['cpu']
  let lastScan: Seconds | undefined
  let lastRead: Seconds | undefined
  let closed = false
  const isMissed = ({ kind }: PowercapZone): boolean =>
    !psysCounts && (kind === 'package' || (kind === 'dram' && knowsDram))
  let pending = failures
    .filter(({ zone }) => isMissed(zone))
    .map(({ zone, error }) => openFailure(zone, error))
  const [unread] = failures.filter(({ zone }) => zone.kind === 'package')
  if (psysCounts && !preferPsys && unread !== undefined)
    pending.push(platformInstead(unread.zone, unread.error))

  function rescan(context: ReadContext, problems: Problem[]): void {
    lastScan = context.at
    const now = new Map(
      wanted(findPowercapDomains(sysfsPath), includeDram).map((ways) => [ways[0].domain, ways]),
    )
    for (const zone of zones.values()) {
      if (!now.has(zone.domain)) zone.close()
    }
    for (const [domain, ways] of now) {
      // What counts was settled when the probe was opened: a memory counter that turns up later would double its estimate.
      if (ways[0].kind === 'dram' && !knowsDram) continue
      const known = zones.get(domain)
      if (known?.isOpen === true && known.isCurrent()) continue
      const zone = known ?? new RaplZone(ways)
      try {
        zone.open(ways)
        if (known === undefined) zone.baseline()
        zone.place(platforms)
        zones.set(domain, zone)
        const mirrored = known === undefined ? findMirrors([...zones.values()]).get(domain) : undefined
        if (mirrored !== undefined) mirrors.set(domain, mirrored)
      } catch (error) {
        zone.close()
        if (known === undefined && isMissed(ways[0])) problems.push(openFailure(ways[0], error))
      }
    }
  }

  return {
    name: 'rapl',
    components,
    isWholePlatform: psysCounts,
    ...(maxInterval === undefined ? {} : { maxInterval }),
    read(context): ProbeResult {
      if (closed) return { readings: [], problems: [] }
      const problems: Problem[] = [...pending]
      pending = []
      lastScan ??= context.at
      if (context.at - lastScan >= rescanSeconds) rescan(context, problems)
      const gap = seconds(context.at - (lastRead ?? context.at))
      lastRead = context.at

      const readings: Reading[] = []
      for (const zone of zones.values()) {
        const problem = zone.update(context, gap)
        if (problem !== undefined) problems.push(problem)
        if (zone.isFresh && !mirrors.has(zone.domain)) readings.push(zone.reading())
      }
      for (const [domain, mirror] of mirrors) {
        const die = zones.get(domain)
        const other = zones.get(mirror.of)
        if (die === undefined || other === undefined || !die.isFresh) continue
        // Where the other one is gone, its copy goes on alone.
        if (other.isOpen && !other.isFresh) continue
        if (other.isOpen && showsOneCounter(die.raw, other.raw, () => other.peek(), other.range)) {
          mirror.agreedAt = die.energy
          continue
        }
        mirrors.delete(domain)
        if (other.isOpen) problems.push(partedProblem(die, other))
        die.startFrom(mirror.agreedAt)
        readings.push(die.reading())
      }
      return { readings, problems }
    },
    close() {
      closed = true
      for (const zone of zones.values()) zone.close()
    },
  }
}

/** A die whose counter is taken for a copy of another one's. */
interface Mirror {
  /** Domain that it copies. */
  readonly of: string
  /** Energy up to which the two moved together. */
  agreedAt: Joules
}

/**
 * Dies of one package whose counters show the same energy are one counter seen twice, as on AMD processors with several dies.
 * They count once for as long as they move together. @returns by domain of the copy
 */
function findMirrors(zones: readonly RaplZone[]): Map<string, Mirror> {
  const mirrors = new Map<string, Mirror>()
  const firstDies = new Map<string, RaplZone>()
  for (const zone of zones) {
    const [, owner] = /^((?:package|dram)-\d+)-die-\d+$/.exec(zone.domain) ?? []
    if (owner === undefined) continue
    const first = firstDies.get(owner)
    if (first === undefined) firstDies.set(owner, zone)
    else if (showsOneCounter(zone.raw, first.raw, () => first.peek(), first.range)) {
      mirrors.set(zone.domain, { of: first.domain, agreedAt: joules(0) })
    }
  }
  return mirrors
}

function platformInstead(zone: PowercapZone, error: unknown): Problem {
  const message = `${zone.domain}: its counter cannot be read (${messageOf(error)}); the counter of the whole platform (psys), which holds more than processors and memory, stands for both`
  return { code: 'ERR_PROBE_READ', subject: zone.domain, message }
}

function partedProblem(die: RaplZone, other: RaplZone): Problem {
  const message = `${die.domain}: its counter moved with that of ${other.domain} and no longer does; both are counted from now on`
  return { code: 'ERR_COUNTER_GAP', subject: die.domain, message }
}

const wanted = (domains: readonly PowercapDomain[], includeDram: boolean): readonly PowercapDomain[] =>
  domains.filter(([{ kind }]) => includeDram || kind !== 'dram')

function openFailure(zone: PowercapZone, error: unknown): Problem {
  const message = `${zone.domain}: its counter cannot be read (${messageOf(error)}), so its energy is missing from the total`
  return { code: 'ERR_UNMEASURED', subject: zone.domain, message }
}

function noZones(sysfsPath: string, isContainer = isInContainer()): ProbeUnavailable {
  const where = `${sysfsPath}/class/powercap`
  return new ProbeUnavailable(
    `no RAPL counters: ${where} has no intel-rapl zone`,
    remedyForNoZones(isContainer),
  )
}

function unreadable(
  sysfsPath: string,
  domains: readonly PowercapDomain[],
  error: unknown,
  isContainer = isInContainer(),
): ProbeUnavailable {
  const first = domains[0]?.[0].energyPath ?? sysfsPath
  if (!isPermission(error)) {
    return new ProbeUnavailable(`RAPL counters cannot be read: ${messageOf(error)}`, undefined, {
      cause: error,
    })
  }
  return new ProbeUnavailable(
    `RAPL counters may be read by root only: no permission on ${first}`,
    remedyForPermission(sysfsPath, isContainer),
    { cause: error },
  )
}
