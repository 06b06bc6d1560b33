import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import type { ReadContext } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Component, Reading } from '../../core/reading.ts'
import {
  fromMicrojoules,
  fromMicrowatts,
  joules,
  watts,
  type Joules,
  type Seconds,
  type Watts,
} from '../../core/units.ts'
import { WrappingCounter } from '../../core/wrapping-counter.ts'
import type { PowercapDomain, PowercapZone } from './powercap.ts'
import { isGone, openPseudoFile, type PseudoFile } from './pseudo-file.ts'

/** Twice the highest maximum power of a processor package on the market (Intel Xeon 6980P, 500 W: data/cpu-tdp.json). */
const maxPackagePower = watts(1000)
/** The platform domain holds several packages and everything around them. */
const maxPlatformPower = watts(8000)
/** A counter that has not moved for this long is looked at more closely; real ones move every millisecond. */
const standstillSeconds = 0.05

/**
 * A counter that never moved for this long, over so many looks, is no counter of this machine's energy; one that has moved before is
 * given longer.
 */
const deadSeconds = 3
const stuckSeconds = 10
const deadLooks = 8
/** Parts that draw power whenever the machine is on; a graphics part or an empty socket's cores may draw none. */
const neverIdle: readonly PowercapZone['kind'][] = ['package', 'dram', 'psys']

/** One RAPL counter: its descriptor, its wraps undone, and its place in the tree of domains. */
export class RaplZone {
  #zone: PowercapZone
  readonly #counter: WrappingCounter
  #file: PseudoFile | undefined
  #inode = 0
  /** The machine slept, or the file was opened anew, since the last good value: a fall is then no wrap. */
  #mayHaveRestarted = false
  #isAnother = false
  #fresh = false
  #component: Component = 'cpu'
  #parent: string | undefined
  #firstRaw = joules(0)
  #lastRaw = joules(-1)
  #hasMoved = false
  #stillLooks = 0
  #movedAt: Seconds | undefined
  #checkedAt = -Infinity
  #offset = joules(0)
  #powerLimit: Watts | undefined

  constructor([zone]: PowercapDomain) {
    this.#zone = zone
    this.#counter = new WrappingCounter({
      range: zone.range,
      maxPower: zone.kind === 'psys' ? maxPlatformPower : maxPackagePower,
    })
  }

  get domain(): string {
    return this.#zone.domain
  }

  get kind(): PowercapZone['kind'] {
    return this.#zone.kind
  }

  get energy(): Joules {
    return this.#counter.energy
  }

  /** Counts what comes after this energy alone. */
  startFrom(energy: Joules): void {
    this.#offset = energy
  }

  /** How long the counter can go unread without its wraps becoming a matter of guessing; `undefined` where it does not tell. */
  get unambiguous(): Seconds | undefined {
    return this.#counter.unambiguous
  }

  /** The hardware's own value when the zone was first read. */
  get firstRaw(): Joules {
    return this.#firstRaw
  }

  /** The hardware's own value when the zone was last read. */
  get raw(): Joules {
    return this.#lastRaw
  }

  /** Energy at which the hardware's value starts again. */
  get range(): Joules | undefined {
    return this.#zone.range
  }

  /** The hardware's own value now, which counts nothing; `undefined` where it cannot be read. */
  peek(): Joules | undefined {
    try {
      return this.#readRaw()
    } catch {
      // Whoever needs it must then do without; the next update says what is wrong.
      return undefined
    }
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  /** False after a read that failed: the domain is then absent, until its counter catches up. */
  get isFresh(): boolean {
    return this.#fresh
  }

  /**
   * Opens the best of the ways to the counter that can be read; another one than before is another counter of the same silicon, and
   * goes on from where that one stands. @throws what the best way said, where none can be read
   */
  open(ways: PowercapDomain): void {
    this.close()
    let firstError: unknown
    for (const zone of ways) {
      try {
        this.#openWay(zone)
        return
      } catch (error) {
        firstError ??= error
        this.close()
      }
    }
    throw firstError
  }

  #openWay(zone: PowercapZone): void {
    const before = this.#zone
    this.#zone = zone
    try {
      this.#file = openPseudoFile(zone.energyPath)
      this.#inode = inodeOf(zone.energyPath)
      this.#readRaw()
    } catch (error) {
      this.#zone = before
      throw error
    }
    this.#powerLimit = powerLimitOf(zone)
    this.#isAnother ||= zone.path !== before.path
    this.#mayHaveRestarted = true
  }

  /** Sets the starting point. @throws where the counter cannot be read */
  baseline(): void {
    this.#firstRaw = this.#readRaw()
    this.#lastRaw = this.#firstRaw
    this.#counter.update(this.#firstRaw)
    this.#isAnother = false
    this.#mayHaveRestarted = false
  }

  /** Where the energy counts; `platforms` are the domains of platform counters, where they stand for processors and memory. */
  place(platforms: readonly string[]): void {
    const { domain, kind, inside } = this.#zone
    const psysCounts = platforms.length > 0
    const own = platforms.find((name) => name === `psys-${/\d+/.exec(domain)?.[0]}`) ?? platforms[0]
    if (kind === 'psys') this.#component = psysCounts ? 'cpu' : 'host'
    else if (kind === 'dram') this.#component = 'ram'
    else this.#component = kind === 'other' && inside === undefined ? 'host' : 'cpu'
    if (kind === 'package' || kind === 'dram') this.#parent = own
    else if (kind !== 'psys') this.#parent = inside
  }

  /** False when the path now leads to another file than the open one. */
  isCurrent(): boolean {
    try {
      return inodeOf(this.#zone.energyPath) === this.#inode
    } catch {
      // Gone between listing and looking: to be opened again, which then says why it cannot.
      return false
    }
  }

  update(context: ReadContext, gap: Seconds): Problem | undefined {
    this.#fresh = false
    this.#mayHaveRestarted ||= context.resumed
    if (this.#file === undefined)
      return this.#failure('ERR_PROBE_GONE', 'its counter is no longer there', gap)
    let raw: Joules
    try {
      raw = this.#readRaw()
      if (raw === this.#lastRaw && this.#followFile(context.at)) raw = this.#readRaw()
      // A misreading is over by the next read; a value that stays is the counter's.
      if (!this.#isAnother && this.#counter.isDoubtful(raw, context.at)) raw = this.#readRaw()
    } catch (error) {
      if (!isGone(error)) return this.#failure('ERR_PROBE_READ', messageOf(error), gap)
      this.close()
      return this.#failure('ERR_PROBE_GONE', 'its counter is no longer there', gap)
    }
    const still = this.#standsStill(raw, context.at)
    this.#lastRaw = raw
    if (still !== undefined) return this.#failure('ERR_PROBE_READ', still, gap)
    if (this.#isAnother) this.#counter.rebase(raw, context.at)
    const kind = this.#counter.update(raw, context.at, this.#mayHaveRestarted)
    this.#isAnother = false
    this.#mayHaveRestarted = false
    this.#fresh = true
    if (kind === 'gap')
      return this.#failure('ERR_COUNTER_GAP', 'its counter started again from a lower value', gap)
    if (kind === 'jumped') {
      const message =
        'its counter rose by more than the hardware can use; the interval says with and without that rise'
      return this.#failure('ERR_COUNTER_GAP', message, gap)
    }
    if (kind === 'guessed') {
      const message =
        'it was not read for so long that its counter may have wrapped more than once; the interval says how often'
      return this.#failure('ERR_COUNTER_GAP', message, gap)
    }
    return undefined
  }

  reading(): Reading {
    const { value, low, high } = this.#counter.total
    return {
      domain: this.#zone.domain,
      kind: this.#zone.kind,
      component: this.#component,
      ...(this.#parent === undefined ? {} : { parent: this.#parent }),
      method: 'measured',
      probe: 'rapl',
      energy: joules(value - this.#offset),
      low: joules(low - this.#offset),
      high: joules(high - this.#offset),
      powerLimit: this.#powerLimit,
      wraps: this.#counter.wraps,
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
    this.#fresh = false
  }

  /**
   * A live counter does not stand still. One that does may be a file that was put in another's place while we hold on to the old one
   * (not on real sysfs, but wherever its files are mirrored): then the new one is opened.
   */
  #followFile(at: Seconds): boolean {
    if (at - this.#checkedAt < standstillSeconds) return false
    this.#checkedAt = at
    if (this.isCurrent()) return false
    this.open([this.#zone])
    return true
  }

  /** Why this value is no measurement of zero: silicon that is on draws power. `undefined` while the counter may be alive. */
  #standsStill(raw: Joules, at: Seconds): string | undefined {
    this.#stillLooks += 1
    this.#movedAt ??= at
    if (raw !== this.#lastRaw) {
      this.#hasMoved = true
      this.#movedAt = at
      this.#stillLooks = 0
    }
    const still = at - this.#movedAt
    const isLong = still >= stuckSeconds * 2 && this.#stillLooks > 1
    const enough =
      isLong || (still >= (this.#hasMoved ? stuckSeconds : deadSeconds) && this.#stillLooks >= deadLooks)
    if (!enough || !neverIdle.includes(this.#zone.kind)) return undefined
    return `its counter has stood still for ${still.toFixed(0)} s, which no hardware does`
  }

  #readRaw(): Joules {
    const microjoules = this.#file?.integer()
    if (microjoules === undefined) throw new Error(`${this.#zone.energyPath} holds no number`)
    const raw = fromMicrojoules(microjoules)
    const { range } = this.#zone
    if (range !== undefined && range > 0 && raw > range) {
      throw new Error(`${this.#zone.energyPath} is beyond its own range: ${microjoules} µJ`)
    }
    return raw
  }

  #failure(code: Problem['code'], message: string, gap: Seconds): Problem {
    return { code, subject: this.#zone.domain, message: `${this.#zone.domain}: ${message}`, gap }
  }
}

/**
 * The long-term limit: the most that the zone may be set to, which is its TDP, or else what it is set to (kernel documentation:
 * power/powercap/powercap.rst). Parts of a package have none that says anything.
 */
function powerLimitOf({ kind, path }: PowercapZone): Watts | undefined {
  if (kind !== 'package' && kind !== 'psys') return undefined
  for (const name of ['constraint_0_max_power_uw', 'constraint_0_power_limit_uw']) {
    const limit = readNumber(join(path, name))
    if (limit !== undefined && limit > 0) return fromMicrowatts(limit)
  }
  return undefined
}

function readNumber(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'latin1').trim()
    return /^\d+$/.test(text) ? Number(text) : undefined
  } catch {
    // Not there, or not to be read: nothing but a figure beside the others is missing.
    return undefined
  }
}

const inodeOf = (path: string): number => statSync(path).ino
