import { messageOf, ProbeUnavailable } from '../../core/errors.ts'
import type { Probe, ProbeResult, ReadContext } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Component } from '../../core/reading.ts'
import { seconds, type Seconds } from '../../core/units.ts'
import { isAccessDenied, isDeviceGone, type EmiBinding } from './emi-binding.ts'
import { placeOfChannel } from './emi-channel.ts'
import { EmiCounter } from './emi-counter.ts'
import { openEmiMeter, type EmiMeter } from './emi-meter.ts'

/** Options of {@link createEmiProbe}. */
export interface EmiOptions {
  readonly binding: EmiBinding
  /** Measure memory by its own channel where there is one that counts. @default true */
  readonly includeDram?: boolean
}

/** The probe, and the components it measures here. */
export interface EmiProbe extends Probe {
  readonly components: readonly Component[]
}

/** How often a device that went away is looked for. */
const rescanSeconds = 5

const noMetersRemedy =
  'Windows 11 on bare metal has energy meters for most Intel and AMD processors, virtual machines have none; chipset and processor drivers bring them'
const deniedRemedy = 'run as administrator'

/**
 * Processor and memory energy from the Energy Meter Interface of Windows (EMI, Windows 10 1809 and later), whose devices pass on the RAPL
 * counters: AbsoluteEnergy of each channel in picowatt-hours, an unsigned 64-bit number that the driver never lets wrap.
 *
 * Packages count; cores and integrated graphics are inside them; memory counts beside them, in the place of its estimate. A channel that has
 * counted nothing since the machine was started is not behind any hardware. Needs read access to the devices. Not included: graphics
 * cards, disks, fans; channels whose names say nothing (see `placeOfChannel`).
 *
 * Written after emi.h and its documentation; has not been run on Windows.
 *
 * @throws ProbeUnavailable where no package can be read
 */
export function createEmiProbe({ binding, includeDram = true }: EmiOptions): EmiProbe {
  const counters = new Map<string, EmiCounter>()
  const open = new Map<string, OpenMeter>()
  const failures: unknown[] = []
  const seen: string[] = []
  for (const path of devicesOf(binding)) {
    try {
      const meter = openEmiMeter(binding, path)
      seen.push(...meter.channels)
      addMeter(path, meter, (domain, kind, energy) => {
        if (counters.has(domain) || (kind === 'dram' && !includeDram)) return false
        return energy > 0 || kind === 'package'
      })
    } catch (error) {
      failures.push(error)
    }
  }
  for (const [domain, { place }] of counters) {
    if (place.parent !== undefined && !counters.has(place.parent)) counters.delete(domain)
  }
  const kinds = new Set([...counters.values()].map(({ place }) => place.kind))
  if (!kinds.has('package')) {
    for (const { meter } of open.values()) meter.close()
    throw noPackage(seen, failures)
  }
  let pending = failures.map(unreadMeter)
  let lastRead: Seconds | undefined
  let lastScan: Seconds | undefined
  let isClosed = false

  /** Takes a meter's channels for those counters that are wanted of it; closes it where there are none. */
  function addMeter(path: string, meter: EmiMeter, isWanted: IsWanted): void {
    const channels = new Map<number, EmiCounter>()
    try {
      for (const [index, { energy }] of meter.measure().entries()) {
        const place = placeOfChannel(meter.channels[index] ?? '')
        if (place === undefined || !isWanted(place.domain, place.kind, energy)) continue
        const counter = counters.get(place.domain) ?? new EmiCounter(place, energy)
        counters.set(place.domain, counter)
        channels.set(index, counter)
      }
    } catch (error) {
      meter.close()
      throw error
    }
    if (channels.size === 0) meter.close()
    else open.set(path, { meter, channels })
  }

  const heldCounters = (): ReadonlySet<EmiCounter> =>
    new Set([...open.values()].flatMap(({ channels }) => [...channels.values()]))

  /** Looks for the channels whose device went away, by their names: it may come back under another path. */
  function rescan(at: Seconds): void {
    const held = heldCounters()
    if (held.size === counters.size || at - (lastScan ?? -Infinity) < rescanSeconds) return
    lastScan = at
    let paths: readonly string[] = []
    try {
      paths = binding.devices()
    } catch {
      // Looked for again; that the domains are absent is told with every read.
      return
    }
    for (const path of paths) {
      if (open.has(path)) continue
      try {
        addMeter(path, openEmiMeter(binding, path), (domain) => {
          const counter = counters.get(domain)
          if (counter === undefined || held.has(counter)) return false
          counter.reopened()
          return true
        })
      } catch {
        // As above.
      }
    }
  }

  function readMeter(
    path: string,
    { meter, channels }: OpenMeter,
    context: ReadContext,
    gap: Seconds,
  ): Problem[] {
    try {
      let measured = meter.measure()
      // A misreading is over by the next read; a value that stays is the counter's.
      const isDoubtful = [...channels].some(([index, counter]) => {
        const energy = measured[index]?.energy
        return energy !== undefined && counter.isDoubtful(energy, context.at)
      })
      if (isDoubtful) measured = meter.measure()
      return [...channels].flatMap(([index, counter]) => {
        const energy = measured[index]?.energy
        return energy === undefined ? [] : (counter.update(energy, context, gap) ?? [])
      })
    } catch (error) {
      const isGone = isDeviceGone(error)
      if (isGone) {
        meter.close()
        open.delete(path)
      }
      return [...channels.values()].map((counter) =>
        isGone
          ? counter.fail('ERR_PROBE_GONE', goneMessage, gap)
          : counter.fail('ERR_PROBE_READ', messageOf(error), gap),
      )
    }
  }

  return {
    name: 'emi',
    components: kinds.has('dram') ? ['cpu', 'ram'] : ['cpu'],
    read(context): ProbeResult {
      if (isClosed) return { readings: [], problems: [] }
      const gap = seconds(context.at - (lastRead ?? context.at))
      lastRead = context.at
      rescan(context.at)
      const held = heldCounters()
      const gone = [...counters.values()].filter((counter) => !held.has(counter))
      const problems = [
        ...pending,
        ...gone.map((counter) => counter.fail('ERR_PROBE_GONE', goneMessage, gap)),
      ]
      pending = []
      for (const [path, meter] of [...open]) problems.push(...readMeter(path, meter, context, gap))
      return { readings: [...counters.values()].flatMap((counter) => counter.reading() ?? []), problems }
    },
    close() {
      if (isClosed) return
      isClosed = true
      for (const { meter } of open.values()) meter.close()
    },
  }
}

interface OpenMeter {
  readonly meter: EmiMeter
  /** By index of the channel. */
  readonly channels: ReadonlyMap<number, EmiCounter>
}

type IsWanted = (domain: string, kind: string, energy: number) => boolean

const goneMessage = 'its energy meter is no longer there'

function unreadMeter(error: unknown): Problem {
  const message = `an energy meter cannot be read (${messageOf(error)}); what it measures may be missing from the total`
  return { code: 'ERR_UNMEASURED', subject: 'emi', message }
}

function devicesOf(binding: EmiBinding): readonly string[] {
  try {
    return binding.devices()
  } catch (error) {
    throw new ProbeUnavailable(`energy meters cannot be listed: ${messageOf(error)}`, undefined, {
      cause: error,
    })
  }
}

function noPackage(seen: readonly string[], failures: readonly unknown[]): ProbeUnavailable {
  const denied = failures.find(isAccessDenied)
  const [cause] = denied === undefined ? failures : [denied]
  if (cause !== undefined) {
    const remedy = denied === undefined ? undefined : deniedRemedy
    return new ProbeUnavailable(`energy meters cannot be read: ${messageOf(cause)}`, remedy, { cause })
  }
  if (seen.length === 0) return new ProbeUnavailable('Windows shows no energy meter', noMetersRemedy)
  return new ProbeUnavailable(
    `none of Windows' energy meters is a processor package: ${[...new Set(seen)].slice(0, 8).join(', ')}`,
  )
}
