import type { Clock, Instant } from './clock.ts'
import { messageOf } from './errors.ts'
import type { GpuUseSource, Load, LoadSource, TreeSource } from './load.ts'
import { ProblemLog, type Problem } from './problem.ts'
import type { Probe } from './probe.ts'
import type { Component, Reading } from './reading.ts'
import type { Snapshot } from './snapshot.ts'
import { DomainPower } from './domain-power.ts'
import { countedComponent, Tally, type EnergyStep } from './tally.ts'
import { TreeShare } from './tree-share.ts'
import { joules, seconds, type Seconds } from './units.ts'

/** What a meter is made of. */
export interface MeterOptions {
  readonly probes: readonly Probe[]
  readonly clock: Clock
  /** Time between measurements. Probes that need it are read more often in between. */
  readonly interval: Seconds
  /** Carbon intensity of this moment in gCO2e/kWh. */
  readonly gramsPerKwh: () => number
  readonly load?: LoadSource | undefined
  /** The process tree to be told apart from the rest of the machine. */
  readonly tree?: TreeSource | undefined
  /** Logical CPUs of the machine, for the tree's share of CPU time. */
  readonly logicalCpus?: number | undefined
  /** Memory whose energy is told, for the tree's share of it, where that is less than the machine has. */
  readonly memoryBytes?: number | undefined
  /** Whose work the graphics processors did, for the tree's share of it. */
  readonly gpuUse?: GpuUseSource | undefined
  /** Called after every read, whoever asked for it. */
  readonly onSnapshot?: ((snapshot: Snapshot) => void) | undefined
  /** Called once per `interval`. */
  readonly onMeasurement?: ((snapshot: Snapshot) => void) | undefined
  /** Called with the first occurrence of each problem. */
  readonly onProblem?: ((problem: Problem) => void) | undefined
}

/** Keeps the pace, reads the probes, adds up. */
export interface Meter {
  /** The reading it began with. */
  readonly first: Snapshot
  /** Reads the hardware now. */
  read(): Snapshot
  /** The last good reading of each domain that was ever read. */
  domains(): readonly Reading[]
  /** Notes a problem from outside the probes. */
  report(problem: Problem): void
  /** Stops the pace and releases the probes. Idempotent. */
  close(): void
}

/** The wall clock may be set by this much without being taken for a sleep of the machine. */
const clockStepMs = 5000

/** Until then the opening of graphics cards is nothing to be told of. */
const longOpeningSeconds = 1

/** Opens a meter: reads once for the baseline, then keeps its pace until closed. */
export function createMeter(options: MeterOptions): Meter {
  const { probes, clock, load, onSnapshot, onMeasurement, onProblem } = options
  const problems = new ProblemLog()
  const machine = new Tally()
  const treeTally = new Tally()
  const tree = options.tree === undefined ? undefined : new TreeShare(options.tree, treeTally)
  const domains = new Map<string, Reading>()
  const power = new DomainPower()
  let previous: Instant | undefined
  let began: Seconds | undefined
  let cancelTimer: (() => void) | undefined
  let closed = false
  let selfTime = 0
  let selfEnergy: number | undefined
  /** How long the last reading took, which is of the interval that ends with the next one. */
  let took = seconds(0)

  function report(problem: Problem): void {
    if (problems.add(problem)) onProblem?.(problem)
  }

  /** Once for all cards that were opened together. A library takes a moment to open: that is noted, and told only where it was long. */
  function reportLate(gap: Seconds): void {
    if (gap <= 0) return
    const message = `graphics cards were opened ${gap.toFixed(1)} s after the start; the energy of that time is not counted`
    const problem = { code: 'ERR_COUNTER_GAP', subject: 'gpu', message, gap } as const
    if (gap >= longOpeningSeconds) report(problem)
    else problems.add(problem)
  }

  function readProbe(probe: Probe, at: Seconds, resumed: boolean, into: Reading[]): void {
    try {
      const result = probe.read({ at, resumed })
      for (const problem of result.problems) report(problem)
      for (const reading of result.readings) into.push(reading)
    } catch (error) {
      report({ code: 'ERR_PROBE_READ', subject: probe.name, message: messageOf(error) })
    }
  }

  function read(): Snapshot {
    const now = clock.now()
    const resumed = previous !== undefined && sleptBetween(previous, now)
    if (resumed && previous !== undefined) report(sleepProblem(previous, now))
    const readings: Reading[] = []
    for (const probe of probes) readProbe(probe, now.monotonic, resumed, readings)

    const gramsPerKwh = options.gramsPerKwh()
    const told = new Set<Component>()
    let anyLate = false
    let cpuEnergy = 0
    for (const reading of readings) {
      const component = countedComponent(reading)
      const known = domains.has(reading.domain)
      const step = stepSince(domains.get(reading.domain), reading)
      domains.set(reading.domain, reading)
      if (component === undefined) continue
      const counted: EnergyStep = {
        component,
        method: reading.method,
        ...step,
        ...(component === 'gpu' ? { domain: reading.domain } : {}),
      }
      // What reads graphics cards opens while the run goes on, and counts from then on.
      const isLate = component === 'gpu' && !known && previous !== undefined
      if (isLate && !anyLate) reportLate(seconds((previous?.monotonic ?? 0) - (began ?? 0)))
      anyLate ||= isLate
      const notBefore = reading.method === 'measured' && !isLate ? undefined : previous?.monotonic
      machine.tell(component, now.monotonic, began ?? now.monotonic, notBefore)
      told.add(component)
      if (component === 'cpu') cpuEnergy += step.value
      machine.add(counted, gramsPerKwh)
      tree?.hold(counted, gramsPerKwh)
    }
    const loadNow: Load = load?.read(now.monotonic) ?? {}
    tree?.settle(now.monotonic, {
      logicalCpus: options.logicalCpus ?? 1,
      cpuBusy: loadNow.cpuBusy,
      memoryBytes: options.memoryBytes ?? loadNow.memoryTotalBytes,
      gpuUse: tree === undefined ? undefined : options.gpuUse?.(),
    })
    machine.retain(told)
    treeTally.retain(told)
    const passed = seconds(previous === undefined ? 0 : now.monotonic - previous.monotonic)
    machine.pass(passed)
    machine.occupy(passed)
    treeTally.pass(passed)
    if (told.has('cpu')) {
      const capacity = passed * (options.logicalCpus ?? 1)
      selfEnergy = (selfEnergy ?? 0) + (capacity > 0 ? cpuEnergy * Math.min(1, took / capacity) : 0)
    }
    previous = now
    began ??= now.monotonic

    const state = {
      at: now,
      readings,
      machine: machine.usage(),
      power: power.over(readings, now.monotonic),
      ...(tree?.isKnown === true ? { tree: treeTally.usage() } : {}),
      load: loadNow,
      problems: problems.list(),
    }
    took = seconds(clock.now().monotonic - now.monotonic)
    selfTime += took
    const snapshot: Snapshot = {
      ...state,
      took,
      selfTime: seconds(selfTime),
      selfEnergy: selfEnergy === undefined ? undefined : joules(selfEnergy),
    }
    onSnapshot?.(snapshot)
    return snapshot
  }

  const first = read()
  const origin = first.at.monotonic
  const pace = Math.min(options.interval, ...probes.map((probe) => probe.maxInterval ?? Infinity))
  let ticks = 0
  let measurements = 0

  function schedule(): void {
    const now = clock.now().monotonic
    // Ticks that a blocked event loop missed are skipped, not made up for: counters lose nothing by it.
    ticks = Math.max(ticks + 1, Math.floor((now - origin) / pace) + 1)
    const delayMs = Math.max(0, (origin + ticks * pace - now) * 1000)
    cancelTimer = clock.after(delayMs, tick)
  }

  function tick(): void {
    if (closed) return
    try {
      measure()
    } catch (error) {
      report({
        code: 'ERR_PROBE_READ',
        subject: 'meter',
        message: `a measurement failed: ${messageOf(error)}`,
      })
    }
    schedule()
  }

  function measure(): void {
    const snapshot = read()
    // Half a tick of tolerance, since a timer may fire a little early.
    const due = Math.floor((snapshot.at.monotonic - origin + pace / 2) / options.interval)
    if (due > measurements) {
      measurements = due
      onMeasurement?.(snapshot)
    }
  }

  schedule()
  return {
    first,
    read,
    domains: () => [...domains.values()],
    report,
    close() {
      if (closed) return
      closed = true
      cancelTimer?.()
      for (const part of [...probes, load]) {
        try {
          part?.close?.()
        } catch (error) {
          report({
            code: 'ERR_PROBE_READ',
            subject: 'meter',
            message: `a probe could not be closed: ${messageOf(error)}`,
          })
        }
      }
    },
  }
}

/** Energy since the last reading of the same domain: one that failed for a while loses nothing, one never read before starts at zero. */
function stepSince(
  last: Reading | undefined,
  { energy, low, high, dynamic }: Reading,
): Pick<EnergyStep, 'value' | 'low' | 'high' | 'dynamic'> {
  return {
    value: Math.max(0, energy - (last?.energy ?? 0)),
    low: Math.max(0, low - (last?.low ?? 0)),
    high: Math.max(0, high - (last?.high ?? 0)),
    dynamic: dynamic === undefined ? undefined : Math.max(0, dynamic - (last?.dynamic ?? 0)),
  }
}

function sleptBetween(before: Instant, now: Instant): boolean {
  return sleptMs(before, now) > clockStepMs
}

function sleptMs(before: Instant, now: Instant): number {
  return now.wallMs - before.wallMs - (now.monotonic - before.monotonic) * 1000
}

function sleepProblem(before: Instant, now: Instant): Problem {
  const gap = seconds(sleptMs(before, now) / 1000)
  const message = `the machine slept, or its clock was set, for ${gap.toFixed(0)} s; the energy of that time is not counted`
  return { code: 'ERR_COUNTER_GAP', subject: 'machine', message, gap }
}
