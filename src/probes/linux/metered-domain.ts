import { statSync } from 'node:fs'
import { messageOf, type ErrorCode } from '../../core/errors.ts'
import { Integrator } from '../../core/integrator.ts'
import type { ReadContext } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Component, DomainKind, Reading } from '../../core/reading.ts'
import { joules, type Joules, type Seconds, type Watts } from '../../core/units.ts'
import { WrappingCounter } from '../../core/wrapping-counter.ts'
import { NothingToTell, type EnergyGauge, type Gauge, type PowerGauge } from './gauge.ts'
import { isGone } from './pseudo-file.ts'
import { Standstill } from './standstill.ts'

/** One domain, what it counts towards, and how it is read. */
export interface MeterPoint {
  readonly domain: string
  readonly kind: DomainKind
  readonly component: Component
  /** Domain that already contains it. */
  readonly parent?: string | undefined
  /** What it is, whatever number and folder the kernel gives it. */
  readonly identity: string
  /** The file that is read, or one of them: to notice that another has taken its place. */
  readonly path: string
  /** More than it can ever draw. */
  readonly maxPower: Watts
  /** What it is set to draw at most, where that is known. */
  readonly powerLimit?: Watts | undefined
  /** Whether it draws power whenever it is on, so that a meter that stands still has failed. */
  readonly neverIdle: boolean
  /** How long a power that was read stands for the present one: reading it sooner would cost more than it tells. */
  readonly refresh?: Seconds | undefined
  /** Whether it is switched off for the moment, so that it has nothing to say. */
  readonly isAsleep?: (() => boolean) | undefined
  /** @throws the error of `open` */
  open(): Gauge
}

/** A meter that fails is tried again after a tenth of the time it has been failing: what is lost at its return is a tenth of the gap at most. */
const retryShare = 0.1
/** Looking for a file that is not there takes microseconds; once a minute it costs nothing, however long it lasts. */
const longestRetrySeconds = 60
/** What a rise of a counter may be beyond its highest power, for its own refresh period. As core/wrapping-counter.ts has it. */
const slackSeconds = 1

/** Energy of one domain from files of sysfs, be they counters or powers: faults are gaps, never numbers. */
export class MeteredDomain {
  #point: MeterPoint
  readonly #probe: string
  readonly #counter: WrappingCounter
  readonly #integrator = new Integrator()
  readonly #standstill = new Standstill()
  #gauge: Gauge | undefined
  #quantity: Gauge['quantity'] = 'power'
  #inode = 0
  #fresh = false
  /** What is read from now on is another counter than before. */
  #isAnother = false
  /** The machine slept, or the file was opened anew: a counter may have started again. */
  #mayHaveRestarted = false
  #raw: { readonly value: Joules; readonly at: Seconds | undefined } | undefined
  #beforeFall: { readonly value: Joules; readonly at: Seconds | undefined } | undefined
  #power: { readonly value: Watts; readonly at: Seconds } | undefined
  #hasTold = false
  #failure: Failure | undefined

  /** @param probe name of the probe that it belongs to */
  constructor(point: MeterPoint, probe: string) {
    this.#point = point
    this.#probe = probe
    this.#counter = new WrappingCounter({ maxPower: point.maxPower })
  }

  get isFresh(): boolean {
    return this.#fresh
  }

  /**
   * Opens the files and sets the starting point.
   * @throws where they cannot be read
   */
  open(): void {
    try {
      const gauge = this.#openGauge()
      if (gauge.quantity === 'power') this.#plausible(gauge.read())
      else this.#baseline(gauge.read())
    } catch (error) {
      if (error instanceof NothingToTell) return
      this.close()
      throw error
    }
  }

  /** Reads the same from somewhere else from now on, as after the kernel has given it another number. */
  moveTo(point: MeterPoint): void {
    const hasMoved = point.path !== this.#point.path
    this.#point = point
    this.#release()
    if (!hasMoved) return
    this.#isAnother = true
    this.#forgetPower()
    if (this.#failure !== undefined) this.#failure = { ...this.#failure, retryAt: -Infinity }
  }

  /** Lets go of files in whose place there are others now; they are opened at the next update. */
  checkFiles(): void {
    try {
      if (this.#gauge === undefined || inodeOf(this.#point.path) === this.#inode) return
    } catch {
      // Gone: opening it says so.
    }
    this.#release()
  }

  update({ at, resumed }: ReadContext, gap: Seconds): Problem | undefined {
    this.#fresh = false
    if (resumed) {
      this.#mayHaveRestarted = true
      this.#forgetPower()
    }
    if (this.#failure !== undefined && at < this.#failure.retryAt) return this.#problem(this.#failure, gap)
    let problem: Problem | undefined
    try {
      const gauge = this.#gauge ?? this.#openGauge()
      problem = gauge.quantity === 'energy' ? this.#count(gauge, at, gap) : this.#integrate(gauge, at, gap)
    } catch (error) {
      this.#forgetPower()
      if (isGone(error)) this.close()
      this.#failure = this.#failureOf(error, at)
      return this.#failure.code === undefined ? undefined : this.#problem(this.#failure, gap)
    }
    this.#failure = undefined
    this.#fresh = true
    this.#hasTold = true
    return problem
  }

  reading(): Reading {
    const { domain, kind, component, parent } = this.#point
    const counted = this.#counter.total
    const integrated = this.#integrator.energy
    return {
      domain,
      kind,
      component,
      ...(parent === undefined ? {} : { parent }),
      method: this.#quantity === 'energy' ? 'measured' : 'integrated',
      probe: this.#probe,
      energy: joules(counted.value + integrated.value),
      low: joules(counted.low + integrated.low),
      high: joules(counted.high + integrated.high),
      powerLimit: this.#point.powerLimit,
    }
  }

  close(): void {
    this.#release()
    this.#fresh = false
    this.#forgetPower()
  }

  #release(): void {
    this.#gauge?.close()
    this.#gauge = undefined
  }

  #openGauge(): Gauge {
    const gauge = this.#point.open()
    this.#gauge = gauge
    this.#quantity = gauge.quantity
    this.#inode = inodeOf(this.#point.path)
    this.#mayHaveRestarted = true
    return gauge
  }

  #baseline(value: Joules): void {
    this.#raw = { value, at: undefined }
    this.#counter.update(value)
    this.#mayHaveRestarted = false
    this.#isAnother = false
  }

  #count(gauge: EnergyGauge, at: Seconds, gap: Seconds): Problem | undefined {
    let value = gauge.read()
    // A misreading is over by the next read; a value that stays is the counter's.
    if (!this.#isAnother && this.#counter.isDoubtful(value, at)) value = gauge.read()
    this.#lookForStandstill(value !== this.#raw?.value, at)

    const last = this.#raw
    const isAnother = this.#isAnother
    // After a sleep too: the meter says that the energy of that time is not counted.
    const isImpossible = !isAnother && this.#roseTooMuch(value, at)
    this.#raw = { value, at }
    this.#isAnother = false
    if (last === undefined) {
      // It could not be read when it was opened: this is where it begins.
      this.#counter.update(value, at)
      this.#mayHaveRestarted = false
      return undefined
    }
    if (isAnother || isImpossible) this.#counter.rebase(value, at)
    const kind = this.#counter.update(value, at, this.#mayHaveRestarted)
    this.#mayHaveRestarted = false
    this.#beforeFall = value < last.value ? last : undefined
    if (isAnother) return this.#gap('its counter was exchanged for another one', gap)
    if (isImpossible)
      return this.#gap('its counter rose by more than the hardware can use, which is not counted', gap)
    if (kind === 'gap') return this.#gap('its counter started again from a lower value', gap)
    return undefined
  }

  /** Whether no hardware could have used what the counter rose by, and it did not just come back from a misreading. */
  #roseTooMuch(value: Joules, at: Seconds): boolean {
    if (this.#raw === undefined || value < this.#raw.value) return false
    if (!this.#counter.isDoubtful(value, at)) return false
    const before = this.#beforeFall
    if (before === undefined || value < before.value) return true
    const elapsed = before.at === undefined ? 0 : at - before.at
    return value - before.value > this.#point.maxPower * (elapsed + slackSeconds)
  }

  #integrate(gauge: PowerGauge, at: Seconds, gap: Seconds): Problem | undefined {
    const last = this.#power
    const isRecent = last !== undefined && at - last.at < (this.#point.refresh ?? 0)
    const value = isRecent ? last.value : this.#plausible(gauge.read())
    if (!isRecent) {
      this.#lookForStandstill(value > 0, at)
      this.#power = { value, at }
    }
    this.#integrator.sample(value, at)
    this.#mayHaveRestarted = false
    const isAnother = this.#isAnother
    this.#isAnother = false
    const isBack = this.#hasTold && (this.#failure !== undefined || isAnother)
    return isBack ? this.#gap('it is read again; what was used until now is not counted', gap) : undefined
  }

  #plausible(power: Watts): Watts {
    if (power >= 0 && power <= this.#point.maxPower) return power
    throw new Error(`${this.#point.path} says ${power} W, which cannot be`)
  }

  #lookForStandstill(hasMoved: boolean, at: Seconds): void {
    const still = this.#standstill.look(hasMoved || this.#point.isAsleep?.() === true, at)
    if (still === undefined || !this.#point.neverIdle) return
    throw new Error(`its meter has stood still for ${still.toFixed(0)} s, which no hardware does that is on`)
  }

  #forgetPower(): void {
    this.#integrator.skip()
    this.#power = undefined
  }

  #failureOf(error: unknown, at: Seconds): Failure {
    const since = this.#failure?.since ?? at
    const reason = messageOf(error)
    if (error instanceof NothingToTell) {
      const code = this.#hasTold || error.isNews ? 'ERR_COUNTER_GAP' : undefined
      return { code, reason, since, retryAt: -Infinity }
    }
    const retryAt = at + Math.min(longestRetrySeconds, (at - since) * retryShare)
    if (!isGone(error)) return { code: 'ERR_PROBE_READ', reason, since, retryAt }
    return { code: 'ERR_PROBE_GONE', reason: 'its meter is no longer there', since, retryAt }
  }

  #gap(reason: string, gap: Seconds): Problem {
    return this.#problem({ code: 'ERR_COUNTER_GAP', reason }, gap)
  }

  #problem({ code = 'ERR_PROBE_READ', reason }: Pick<Failure, 'code' | 'reason'>, gap: Seconds): Problem {
    const { domain } = this.#point
    return { code, subject: domain, message: `${domain}: ${reason}`, gap }
  }
}

/** Why there is no figure at present. */
interface Failure {
  /** `undefined` where it is nobody's business. */
  readonly code: ErrorCode | undefined
  readonly reason: string
  readonly since: Seconds
  readonly retryAt: number
}

const inodeOf = (path: string): number => statSync(path).ino
