import { grams, joules, type Grams, type Joules, type Seconds } from './units.ts'
import { addUsage, noUsage, onlyGpu, scaleUsage, totalEnergy, withoutGpu, type Usage } from './usage.ts'

/** How far the running sums of active scopes had come: "time per active scope", and the time in which just one was active. */
export interface Position {
  readonly perScope: number
  readonly alone: number
}

/** What ends an interval. */
export interface IntervalEnd extends Position {
  /** How long it was. */
  readonly length: Seconds
  /** The share of what is no graphics processor's that went to scopes by their CPU time. */
  readonly exactShare: number
  /** CPU time that there was to share by. */
  readonly capacity: Seconds
  /** Scopes that are active at its end. */
  readonly active: number
}

/** Energy and emissions of all components together. */
export interface Totals {
  readonly energy: Joules
  readonly emissions: Grams
}

/** The time between two readings. What a part of it is worth is known when it has ended. */
export class Interval {
  /** What an active scope would have been given from the first interval on up to this one. */
  readonly before: Usage
  readonly from: Position
  /** For how long any scope was active. */
  busy = 0
  #after: Usage | undefined
  /** Of a second per active scope; of a second as the only one; of a second of CPU time. */
  #shared: Usage = noUsage
  #gpu: Usage = noUsage
  #perCpu: Usage = noUsage
  #sharedTotals = noTotals
  #gpuTotals = noTotals
  #isTold = false

  constructor(before: Usage, from: Position) {
    this.before = before
    this.from = from
  }

  get isClosed(): boolean {
    return this.#after !== undefined
  }

  /** What an active scope would have been given up to its end. */
  get after(): Usage {
    return this.#after ?? this.before
  }

  /** Whether anybody told of any component. */
  get isTold(): boolean {
    return this.#isTold
  }

  /** Takes what was used in it. @returns what went to no scope */
  close(step: Usage, end: IntervalEnd): Usage {
    const { length, exactShare, capacity, active } = end
    const rest = scaleUsage(withoutGpu(step), 1 - exactShare)
    const gpu = onlyGpu(step)
    this.#isTold = Object.keys(step.energy).length > 0
    if (capacity > 0) this.#perCpu = scaleUsage(withoutGpu(step), 1 / capacity)
    if (length > 0) {
      this.#shared = scaleUsage(rest, 1 / length)
      this.#gpu = scaleUsage(gpu, 1 / length)
      this.#sharedTotals = totalsOf(this.#shared)
      this.#gpuTotals = totalsOf(this.#gpu)
      this.#after = this.at(end)
      const alone = end.alone - this.from.alone
      return addUsage(scaleUsage(rest, 1 - this.busy / length), gpu, 1 - alone / length)
    }
    // Energy that took no time is that of whoever is active.
    const given = active === 1 ? addUsage(rest, gpu) : rest
    this.#after = active === 0 ? this.before : addUsage(this.before, given, 1 / active)
    return active === 0 ? addUsage(rest, gpu) : active === 1 ? noUsage : gpu
  }

  /** What an active scope would have been given up to a moment in it. */
  at({ perScope, alone }: Position): Usage {
    return addUsage(this.before, this.worth(perScope - this.from.perScope, alone - this.from.alone))
  }

  /** What seconds per active scope, and seconds as the only one, were worth in it. */
  worth(perScope: number, alone: number): Usage {
    const shared = scaleUsage(this.#shared, perScope)
    return alone === 0 ? shared : addUsage(shared, this.#gpu, alone)
  }

  /** The same in two numbers. */
  totals(perScope: number, alone: number): Totals {
    const { energy, emissions } = this.#sharedTotals
    return {
      energy: joules(energy * perScope + this.#gpuTotals.energy * alone),
      emissions: grams(emissions * perScope + this.#gpuTotals.emissions * alone),
    }
  }

  /** What CPU time was worth in it. */
  worthOfCpu(cpu: Seconds): Usage {
    return scaleUsage(this.#perCpu, cpu)
  }
}

/** No energy. */
export const noTotals: Totals = { energy: joules(0), emissions: grams(0) }

/** Of all components together. */
export const totalsOf = (usage: Usage): Totals => ({
  energy: totalEnergy(usage).value,
  emissions: usage.emissions.value,
})
