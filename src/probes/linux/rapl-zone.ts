import { statSync } from 'node:fs'
import { messageOf } from '../../core/errors.ts'
import type { ReadContext } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Component, Reading } from '../../core/reading.ts'
import { fromMicrojoules, joules, watts, type Joules, type Seconds } from '../../core/units.ts'
import { WrappingCounter } from '../../core/wrapping-counter.ts'
import type { PowercapZone } from './powercap.ts'
import { isGone, openPseudoFile, type PseudoFile } from './pseudo-file.ts'

/** Twice the highest maximum power of a processor package on the market (Intel Xeon 6980P, 500 W: data/cpu-tdp.json). */
const maxPackagePower = watts(1000)
/** The platform domain holds several packages and everything around them. */
const maxPlatformPower = watts(8000)
/** A counter that has not moved for this long is looked at more closely; real ones move every millisecond. */
const standstillSeconds = 0.05

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
  #checkedAt = -Infinity
  #offset = joules(0)

  constructor(zone: PowercapZone) {
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

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  /** False after a read that failed: the domain is then absent, until its counter catches up. */
  get isFresh(): boolean {
    return this.#fresh
  }

  open(): void {
    this.close()
    this.#file = openPseudoFile(this.#zone.energyPath)
    this.#inode = inodeOf(this.#zone.energyPath)
    this.#mayHaveRestarted = true
  }

  /** Goes on with the zone that has taken this one's place, which may be another counter of the same silicon. */
  follow(zone: PowercapZone): void {
    this.#isAnother ||= zone.path !== this.#zone.path
    this.#zone = zone
    this.open()
  }

  /** Sets the starting point. @throws where the counter cannot be read */
  baseline(): void {
    this.#firstRaw = this.#readRaw()
    this.#counter.update(this.#firstRaw)
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
    } catch (error) {
      if (!isGone(error)) return this.#failure('ERR_PROBE_READ', messageOf(error), gap)
      this.close()
      return this.#failure('ERR_PROBE_GONE', 'its counter is no longer there', gap)
    }
    this.#lastRaw = raw
    if (this.#isAnother) this.#counter.rebase(raw, context.at)
    const kind = this.#counter.update(raw, context.at, this.#mayHaveRestarted)
    this.#isAnother = false
    this.#mayHaveRestarted = false
    this.#fresh = true
    if (kind === 'gap')
      return this.#failure('ERR_COUNTER_GAP', 'its counter started again from a lower value', gap)
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
    this.open()
    return true
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

const inodeOf = (path: string): number => statSync(path).ino
