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
  readonly #zone: PowercapZone
  readonly #counter: WrappingCounter
  #file: PseudoFile | undefined
  #inode = 0
  #reopened = false
  #fresh = false
  #component: Component = 'cpu'
  #parent: string | undefined
  #firstRaw = joules(0)
  #lastRaw = joules(-1)
  #checkedAt = -Infinity

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
    this.#reopened = true
  }

  /** Sets the starting point. @throws where the counter cannot be read */
  baseline(): void {
    this.#firstRaw = this.#readRaw()
    this.#counter.update(this.#firstRaw)
    this.#reopened = false
  }

  /** Where the energy counts: see DESIGN, the domain tree. */
  place(psysCounts: boolean): void {
    const { kind, inside } = this.#zone
    if (kind === 'psys') this.#component = psysCounts ? 'cpu' : 'host'
    else if (kind === 'dram') this.#component = 'ram'
    else this.#component = kind === 'other' && inside === undefined ? 'host' : 'cpu'
    if (kind === 'package' || kind === 'dram') this.#parent = psysCounts ? 'psys' : undefined
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
    const kind = this.#counter.update(raw, context.at, context.resumed || this.#reopened)
    this.#reopened = false
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
      energy: value,
      low,
      high,
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
