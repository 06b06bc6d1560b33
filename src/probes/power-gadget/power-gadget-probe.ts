import { homedir } from 'node:os'
import { join } from 'node:path'
import { messageOf, ProbeUnavailable } from '../../core/errors.ts'
import type { Probe, ProbeResult, ReadContext } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Component, Reading } from '../../core/reading.ts'
import { seconds, watts, type Seconds } from '../../core/units.ts'
import { WrappingCounter } from '../../core/wrapping-counter.ts'
import { findLiveLog, openLog, type PowerGadgetFile } from './power-gadget-file.ts'
import type { LoggedDomain, LoggedEnergies } from './power-gadget-log.ts'

/** Options of {@link createPowerGadgetProbe}. */
export interface PowerGadgetOptions {
  /** Where the program writes its logs. @default 'Documents' of this user, the program's own default */
  readonly folder?: string
  /** Measure memory where the log tells it. @default true */
  readonly includeDram?: boolean
  /** Wall-clock time in milliseconds since 1970. @default Date.now */
  readonly nowMs?: () => number
}

/** The probe, and the components it measures here. */
export interface PowerGadgetProbe extends Probe {
  readonly components: readonly Component[]
}

/** Twice the highest maximum power of a processor that the program knows (it ends with the 10th generation; Xeon W-3275, 205 W). */
const maxPower = watts(500)
/** The program writes a row every second at the slowest. */
const silentSeconds = 10
const rescanSeconds = 5

const remedy = 'start Intel Power Gadget, choose "Log to File", and keep it running'

/**
 * Processor energy from a log that Intel Power Gadget is writing, on Windows or an Intel Mac: cumulative joules of RAPL counters, passed on.
 * The program is discontinued (December 2023), needs a driver that current systems do not load, and is never started from here: whoever has
 * it and lets it log is measured. Rows are up to a second late. Not included: what has no counter in the processor.
 *
 * Written after logs in public repositories; has not been run beside the program.
 *
 * @throws ProbeUnavailable where no log is being written
 */
export function createPowerGadgetProbe(options: PowerGadgetOptions = {}): PowerGadgetProbe {
  const { folder = join(homedir(), 'Documents'), includeDram = true, nowMs = Date.now } = options
  const findLog = (): string | undefined => findLiveLog(folder, nowMs(), silentSeconds * 1000)
  const path = findLog()
  if (path === undefined)
    throw new ProbeUnavailable(`Intel Power Gadget writes no log into ${folder}`, remedy)
  let log: PowerGadgetFile = openOrRefuse(path)
  const counters = new Map<string, { readonly place: LoggedDomain; readonly counter: WrappingCounter }>()
  for (const place of log.domains) {
    if (place.kind === 'dram' && !includeDram) continue
    counters.set(place.domain, { place, counter: new WrappingCounter({ maxPower }) })
  }
  for (const [domain, energy] of log.latest() ?? []) counters.get(domain)?.counter.update(energy)

  let heardAt: Seconds | undefined
  let lastRead: Seconds | undefined
  let lastScan: Seconds | undefined
  let isAnother = false
  let isClosed = false

  function openOrRefuse(logPath: string): PowerGadgetFile {
    try {
      return openLog(logPath)
    } catch (error) {
      throw new ProbeUnavailable(
        `a log of Intel Power Gadget cannot be read: ${messageOf(error)}`,
        undefined,
        {
          cause: error,
        },
      )
    }
  }

  /** Whoever starts to log anew begins another file. */
  function followLog(at: Seconds): void {
    if (at - (lastScan ?? at) < rescanSeconds && lastScan !== undefined) return
    lastScan = at
    const newer = findLog()
    if (newer === undefined || newer === log.path) return
    const opened = openOrRefuse(newer)
    log.close()
    log = opened
    isAnother = true
  }

  function count(row: LoggedEnergies, { at, resumed }: ReadContext, gap: Seconds): Problem[] {
    const problems: Problem[] = []
    for (const [domain, energy] of row) {
      const counter = counters.get(domain)?.counter
      if (isAnother) counter?.rebase(energy, at)
      const kind = counter?.update(energy, at, resumed)
      if (kind === 'gap' || kind === 'jumped') problems.push(restarted(domain, gap))
    }
    if (isAnother) problems.push(restarted('power-gadget', gap))
    isAnother = false
    return problems
  }

  return {
    name: 'power-gadget',
    components: [...new Set([...counters.values()].map(({ place }) => place.component))],
    read(context): ProbeResult {
      if (isClosed) return { readings: [], problems: [] }
      const { at } = context
      const gap = seconds(at - (lastRead ?? at))
      lastRead = at
      const problems: Problem[] = []
      try {
        if (at - (heardAt ?? at) > silentSeconds / 2) followLog(at)
        const row = log.latest()
        if (row !== undefined) {
          problems.push(...count(row, context, seconds(at - (heardAt ?? at))))
          heardAt = at
        }
      } catch (error) {
        problems.push({ code: 'ERR_PROBE_READ', subject: 'power-gadget', message: messageOf(error), gap })
        return { readings: [], problems }
      }
      heardAt ??= at
      if (at - heardAt > silentSeconds) {
        const message = `Intel Power Gadget has written nothing for more than ${silentSeconds} s; ${remedy}`
        problems.push({ code: 'ERR_PROBE_READ', subject: 'power-gadget', message, gap })
        return { readings: [], problems }
      }
      return { readings: [...counters.values()].map(readingOf), problems }
    },
    close() {
      if (!isClosed) log.close()
      isClosed = true
    },
  }
}

function readingOf({
  place,
  counter,
}: {
  readonly place: LoggedDomain
  readonly counter: WrappingCounter
}): Reading {
  const { value, low, high } = counter.total
  return { ...place, method: 'measured', probe: 'power-gadget', energy: value, low, high }
}

function restarted(subject: string, gap: Seconds): Problem {
  const message = `${subject}: the log of Intel Power Gadget began anew, or jumped; what was used in between is not counted, or has an interval that says so`
  return { code: 'ERR_COUNTER_GAP', subject, message, gap }
}
