import { messageOf, type ErrorCode } from '../../core/errors.ts'
import type { Problem } from '../../core/problem.ts'
import type { Method, Reading } from '../../core/reading.ts'
import { joules, ratio, seconds, type Ratio, type Seconds, type Watts } from '../../core/units.ts'
import { findGpu } from '../../gpu/find-gpu.ts'
import type { NvmlDevice, NvmlFacts } from './binding.ts'
import { CounterSource, DeadCounter } from './counter-source.ts'
import { mostPowerOf, type EnergySource } from './energy-source.ts'
import { ModelSource } from './model-source.ts'
import { PowerSource } from './power-source.ts'
import { ProcessUse, type GpuProcessUse } from './process-use.ts'
import { isLost, NvmlError, returnCode } from './return-code.ts'

/** NVML renews the utilisation no more often than every sixth of a second (nvmlDeviceGetUtilizationRates in nvml.h). */
const useSeconds = 1 / 6
/** The library may be opened anew for so long without a word: the counters catch up. */
const silentSeconds = 5

/** One card: the best way to tell its energy, what it was so far, and whether the card still answers. */
export class GpuMeter {
  readonly domain: string
  #facts: NvmlFacts
  #index = 0
  #device: NvmlDevice | undefined
  #source: EnergySource | undefined
  /** Ways that are not tried again, and why. */
  readonly #refused = new Map<Method, string>()
  /** What was told by ways that were given up, in all and by each of them. */
  #earlier = { value: 0, low: 0, high: 0 }
  #given: NonNullable<Reading['earlier']> = []
  #updatedAt: Seconds | undefined
  #mayHaveRestarted = false
  #isFresh = false
  #lostBecause = ''
  #isSuspended = false
  #use: Ratio | undefined
  #useAt = -Infinity
  #tellsUse = true
  readonly #processes: ProcessUse

  constructor(facts: NvmlFacts, wallMs: number) {
    this.domain = `gpu:${facts.uuid}`
    this.#facts = facts
    this.#processes = new ProcessUse(this.domain, wallMs)
  }

  get index(): number {
    return this.#index
  }

  get facts(): NvmlFacts {
    return this.#facts
  }

  get method(): Method | undefined {
    return this.#source?.method
  }

  /** Why nobody can tell the energy; `undefined` where somebody can. */
  get unmeasured(): string | undefined {
    if (this.#source !== undefined) return undefined
    if (this.#device === undefined) return this.#lostBecause
    return [circumstances(this.#facts), ...this.#refused.values()].filter((text) => text !== '').join('; ')
  }

  /** True where the card did not answer, and has to be looked for again. */
  get isLost(): boolean {
    return this.#device === undefined && !this.#isSuspended
  }

  /** False after a read that failed: the domain is then absent, until it catches up. */
  get isFresh(): boolean {
    return this.#isFresh
  }

  /** How soon the card wants to be looked at again, between readings; `undefined` where that gives nothing. */
  get period(): Seconds | undefined {
    return this.#device === undefined ? undefined : this.#source?.period
  }

  /** How busy the card was when it was last read. */
  get use(): Ratio | undefined {
    return this.#use
  }

  /** Takes the card's handle, for the first time or after it was found again, and sets the starting point where there is none. */
  attach(index: number, device: NvmlDevice, facts: NvmlFacts, at: Seconds): void {
    this.#index = index
    this.#facts = facts
    this.#device = device
    this.#isSuspended = false
    if (this.#source === undefined) this.#choose(at)
  }

  /** Lets go of the handle for the short time in which the library is opened anew. */
  suspend(): void {
    if (this.#device === undefined) return
    this.detach('the driver, which is asked anew, has not answered yet')
    this.#isSuspended = true
  }

  /** Lets go of the handle of a card that is lost. */
  detach(because: string): void {
    this.#device = undefined
    this.#isSuspended = false
    this.#source?.miss?.()
    this.#isFresh = false
    this.#use = undefined
    this.#lostBecause = because
  }

  /** Reads the card. */
  update(at: Seconds, resumed: boolean): Problem | undefined {
    this.#isFresh = false
    const gap = at - (this.#updatedAt ?? at)
    if (this.#isSuspended && gap < silentSeconds) return undefined
    this.#updatedAt = at
    this.#mayHaveRestarted ||= resumed
    const [device, source] = [this.#device, this.#source]
    if (device === undefined) return this.#problem('ERR_PROBE_GONE', this.#lostBecause, gap)
    this.#readUse(device, at)
    if (source === undefined) return undefined
    let doubt: string | undefined
    try {
      doubt = source.read(device, at, this.#mayHaveRestarted)
    } catch (error) {
      return this.#fail(error, gap, at)
    }
    this.#mayHaveRestarted = false
    this.#isFresh = true
    return doubt === undefined ? undefined : this.#problem('ERR_COUNTER_GAP', doubt, gap)
  }

  /** Looks at the card between readings, for what would be missed otherwise. */
  look(at: Seconds): void {
    if (this.#device === undefined || this.#source?.period === undefined) return
    try {
      this.#source.read(this.#device, at, this.#mayHaveRestarted)
      this.#mayHaveRestarted = false
    } catch {
      // The next reading tells, if it is not over by then.
    }
  }

  reading(): Reading {
    const { value, low, high } = this.#source?.energy ?? { value: 0, low: 0, high: 0 }
    return {
      domain: this.domain,
      kind: 'gpu',
      component: 'gpu',
      method: this.#source?.method ?? 'measured',
      probe: 'nvml',
      energy: joules(this.#earlier.value + value),
      low: joules(this.#earlier.low + low),
      high: joules(this.#earlier.high + high),
      ...(this.#given.length === 0 ? {} : { earlier: this.#given }),
      powerLimit: this.#facts.powerLimit,
    }
  }

  /** Whose work the card did since this was last asked; `undefined` where it does not tell. */
  processUse(): GpuProcessUse | undefined {
    return this.#device === undefined ? undefined : this.#processes.read(this.#device)
  }

  memoryUsedBytes(): number | undefined {
    try {
      return this.#device?.memoryUsedBytes()
    } catch {
      // The next reading says what is wrong with the card.
      return undefined
    }
  }

  /** Takes the best way that works: the card's counter, its power, the model of it. */
  #choose(at: Seconds): void {
    const device = this.#device
    if (device === undefined) return
    for (const { method, open, what } of waysFor(this.#facts)) {
      if (this.#refused.has(method)) continue
      const source = open()
      try {
        if (source === undefined) throw new Error('no card of this name is known')
        source.read(device, at, false)
        this.#source = source
        return
      } catch (error) {
        if (isLost(error)) {
          this.detach(messageOf(error))
          return
        }
        this.#refused.set(method, `${what}: ${messageOf(error)}`)
      }
    }
  }

  #fail(error: unknown, gap: number, at: Seconds): Problem {
    if (isLost(error)) {
      this.detach(messageOf(error))
      return this.#problem('ERR_PROBE_GONE', withRemedy(error), gap)
    }
    if (error instanceof DeadCounter) return this.#giveUp(error, at)
    return this.#problem('ERR_PROBE_READ', withRemedy(error), gap)
  }

  /** Goes on by the next best way, from the energy so far. */
  #giveUp(error: DeadCounter, at: Seconds): Problem {
    const source = this.#source
    if (source !== undefined) {
      const { value, low, high } = source.energy
      this.#given = [...this.#given, { method: source.method, energy: joules(value) }]
      this.#earlier = {
        value: this.#earlier.value + value,
        low: this.#earlier.low + low,
        high: this.#earlier.high + high,
      }
    }
    this.#source = undefined
    this.#refused.set('measured', `energy: ${error.message}`)
    this.#choose(at)
    const next =
      this.method === undefined
        ? 'its energy is no longer measured'
        : `its energy is ${this.method} from now on`
    return this.#problem(
      this.method === undefined ? 'ERR_UNMEASURED' : 'ERR_COUNTER_GAP',
      `${error.message}; ${next}`,
      error.still,
    )
  }

  #readUse(device: NvmlDevice, at: Seconds): void {
    if (!this.#tellsUse || at - this.#useAt < useSeconds) return
    this.#useAt = at
    try {
      this.#use = ratio(device.utilisationPercent() / 100)
    } catch (error) {
      this.#use = undefined
      this.#tellsUse = !(error instanceof NvmlError && neverCodes.has(error.code))
    }
  }

  #problem(code: ErrorCode, message: string, gap: number): Problem {
    const name = `graphics processor ${this.#index} (${this.#facts.name})`
    return { code, subject: this.domain, message: `${name}: ${message}`, gap: seconds(gap) }
  }
}

/** Answers that stay the same however often one asks. */
const neverCodes: ReadonlySet<number> = new Set([
  returnCode.notSupported,
  returnCode.noPermission,
  returnCode.functionNotFound,
])

interface Way {
  readonly method: Method
  readonly what: string
  readonly open: () => EnergySource | undefined
}

function waysFor({ name, powerLimit }: NvmlFacts): readonly Way[] {
  const most: Watts = mostPowerOf(powerLimit)
  return [
    { method: 'measured', what: 'energy', open: () => new CounterSource(most) },
    { method: 'integrated', what: 'power', open: () => new PowerSource(most) },
    {
      method: 'estimated',
      what: 'estimate',
      open() {
        const part = findGpu(name)
        return part === undefined ? undefined : new ModelSource(part, powerLimit)
      },
    },
  ]
}

/** Why a card may not tell what others of its model do. */
function circumstances({ virtualisation, migUuids }: NvmlFacts): string {
  if (virtualisation === 'vgpu') return 'a virtual graphics processor does not see the energy of its card'
  if (migUuids !== undefined)
    return 'the card is divided into slices (MIG), whose energy cannot be told apart'
  return ''
}

const withRemedy = (error: unknown): string =>
  error instanceof NvmlError && error.remedy !== undefined
    ? `${error.message}; ${error.remedy}`
    : messageOf(error)
