import type { Clock } from '../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import { exactly } from '../core/estimate.ts'
import { Integrator } from '../core/integrator.ts'
import type { Probe, ProbeResult } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import type { Component, DomainKind, Reading } from '../core/reading.ts'
import { seconds, type Seconds, type Watts } from '../core/units.ts'
import { sentenceOf, type Refusal } from './detector.ts'

/** Power by domain, as somebody answered who takes a while to. */
export type PowerAnswer = ReadonlyMap<string, Watts>

/**
 * Asks for the power of this moment, without waiting. The answer, or why there is none, comes once; never after it was called off.
 * @returns what calls it off
 */
export type AskPower = (done: (answer: PowerAnswer | Error) => void) => () => void

/** A probe that asks in the background. */
export interface PolledProbe extends Probe {
  /** Settles with the first answer, or with why there is none; never rejects, and keeps no process alive. */
  readonly answered: Promise<void>
  /** Why the last question had no answer, or that there was none yet; `undefined` where there was one. */
  refusal(): Refusal | undefined
  /** The last answer. */
  powers(): PowerAnswer
}

/** Options of {@link createPolledProbe}. */
export interface PolledProbeOptions {
  readonly name: string
  readonly ask: AskPower
  /** Time between an answer and the next question. */
  readonly every: Seconds
  readonly component: Component
  readonly kind: DomainKind
  /** More than any of its domains can ever draw. */
  readonly maxPower: Watts
  /** Whether 0 W is no figure: of something that is on whenever this program runs. */
  readonly neverIdle: boolean
  readonly clock: Clock
}

/** An answer stands for this many intervals; later than that nobody knows. */
const staleIntervals = 3
const noAnswerYet = 'there is no answer yet'
/** A service that does not answer is asked less and less often, at last every ten minutes. */
const longestWaitSeconds = 600

/**
 * A probe of a meter that is too slow to be read in a tick: another program, or a controller in the network. It is asked at a low
 * frequency, in the background, and each power that it tells is held until the next one.
 */
export function createPolledProbe(options: PolledProbeOptions): PolledProbe {
  const { name, ask, every, component, kind, maxPower, neverIdle, clock } = options
  const staleAfter = seconds(every * staleIntervals)
  const domains = new Map<string, HeldPower>()
  const opened = clock.now().monotonic
  let failures = 0
  let refusal: Refusal | undefined
  /** Problems of the last answer that were told: until the next one they go on. */
  const told = new Set<string>()
  let settle = (): void => undefined
  const answered = new Promise<void>((resolve) => {
    settle = resolve
  })
  let lastRead: Seconds | undefined
  let closed = false
  let callOff: (() => void) | undefined
  let cancelTimer = clock.after(0, poll)

  function poll(): void {
    callOff = ask((answer) => {
      if (closed) return
      callOff = undefined
      take(answer)
      const wait = every * 2 ** Math.min(failures, 16)
      cancelTimer = clock.after(Math.min(wait, Math.max(every, longestWaitSeconds)) * 1000, poll)
    })
  }

  function take(answer: PowerAnswer | Error): void {
    const doubt = answer instanceof Error ? answer.message : absurdityOf(answer)
    const remedy = answer instanceof ProbeUnavailable ? answer.remedy : undefined
    refusal =
      doubt === undefined
        ? undefined
        : { probe: name, reason: doubt, ...(remedy === undefined ? {} : { remedy }) }
    failures = doubt === undefined ? 0 : failures + 1
    settle()
    if (answer instanceof Error || doubt !== undefined) {
      told.clear()
      return
    }
    told.delete(name)
    const { monotonic } = clock.now()
    for (const [domain, power] of answer) {
      let held = domains.get(domain)
      if (held === undefined) {
        held = new HeldPower(staleAfter)
        domains.set(domain, held)
      }
      told.delete(domain)
      held.take(power, monotonic)
    }
  }

  function absurdityOf(answer: PowerAnswer): string | undefined {
    if (answer.size === 0) return 'it tells no power'
    for (const [domain, power] of answer) {
      const isPossible = power >= 0 && power <= maxPower && !(neverIdle && power === 0)
      if (!isPossible) return `it says ${power} W for ${domain}, which cannot be`
    }
    return undefined
  }

  function failed(subject: string, why: string, gap: Seconds): Problem {
    const goesOn = told.has(subject)
    told.add(subject)
    const message = `${name}: ${sentenceOf(refusal ?? { reason: why })}`
    return { code: 'ERR_PROBE_READ', subject, message, gap, goesOn }
  }

  return {
    name,
    answered,
    refusal: () => refusal ?? (domains.size === 0 ? { probe: name, reason: noAnswerYet } : undefined),
    powers: () =>
      new Map([...domains].flatMap(([domain, { power }]) => (power === undefined ? [] : [[domain, power]]))),
    read({ at, resumed }): ProbeResult {
      if (closed) return { readings: [], problems: [] }
      const gap = seconds(at - (lastRead ?? at))
      lastRead = at
      const readings: Reading[] = []
      const problems: Problem[] = []
      for (const [domain, held] of domains) {
        if (resumed) held.drop()
        held.advance(at)
        if (held.isStale(at)) {
          problems.push(failed(domain, 'there was no answer of late', gap))
          continue
        }
        const { value, low, high } = held.energy
        readings.push({
          domain,
          kind,
          component,
          method: 'integrated',
          probe: name,
          energy: value,
          low,
          high,
        })
      }
      // The first answer may take its time.
      if (domains.size === 0 && (refusal !== undefined || at - opened > staleAfter)) {
        problems.push(failed(name, noAnswerYet, told.has(name) ? gap : seconds(at - opened)))
      }
      return { readings, problems }
    },
    close() {
      closed = true
      settle()
      cancelTimer()
      callOff?.()
    },
  }
}

/** Turns an answer that was promised into one that is called back. */
export function askBy(promised: (signal: AbortSignal) => Promise<PowerAnswer>): AskPower {
  return (done) => {
    const end = new AbortController()
    const settle = (answer: PowerAnswer | Error): void => {
      if (!end.signal.aborted) done(answer)
    }
    promised(end.signal).then(settle, (error: unknown) => {
      settle(error instanceof Error ? error : new Error(messageOf(error)))
    })
    return () => {
      end.abort()
    }
  }
}

/** One power that holds until the next, and its energy. */
class HeldPower {
  readonly #staleAfter: Seconds
  readonly #integrator = new Integrator()
  #power: Watts | undefined
  #toldAt = seconds(0)
  #heldTo = seconds(0)

  constructor(staleAfter: Seconds) {
    this.#staleAfter = staleAfter
  }

  /** `undefined` where it is not known any more. */
  get power(): Watts | undefined {
    return this.#power
  }

  get energy(): Integrator['energy'] {
    return this.#integrator.energy
  }

  take(power: Watts, at: Seconds): void {
    this.advance(at)
    this.#power = power
    this.#toldAt = at
    this.#heldTo = at
  }

  advance(to: Seconds): void {
    if (this.#power === undefined) return
    const end = seconds(Math.min(to, this.#toldAt + this.#staleAfter))
    if (end <= this.#heldTo) return
    this.#integrator.hold(exactly(this.#power), seconds(end - this.#heldTo))
    this.#heldTo = end
  }

  isStale(at: Seconds): boolean {
    return this.#power === undefined || at - this.#toldAt > this.#staleAfter
  }

  drop(): void {
    this.#power = undefined
  }
}
