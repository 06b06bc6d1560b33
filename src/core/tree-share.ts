import { BusyShare } from './busy-share.ts'
import type { GpuUseSource, TreeSource } from './load.ts'
import type { EnergyStep, Tally } from './tally.ts'
import { ratio, seconds, type Ratio, type Seconds } from './units.ts'

/** More than a few steps of the clock would be work of another time. */
const maxCarriedSeconds = 0.05

/** What the whole machine has at a moment. */
export interface MachineNow {
  readonly logicalCpus: number
  /** Time that all logical CPUs together have been busy; cumulative. */
  readonly cpuBusy: Seconds | undefined
  readonly memoryBytes: number | undefined
  readonly gpuUse?: ReturnType<GpuUseSource> | undefined
}

/**
 * Gives a process tree its share of the machine's energy: the CPU by the tree's share of the CPU time there was, memory by its share
 * of the memory, but for what load adds to it, where that is known: by its share of the CPU time that was busy. What is left belongs to
 * other programs and to idleness. GPU energy is nobody's where no process list says whose it is.
 * The CPU rule is that of Kepler: active energy is the machine's energy × utilisation, shared by CPU time.
 */
export class TreeShare {
  readonly #tree: TreeSource
  readonly #tally: Tally
  readonly #pending = new Map<string, Held>()
  readonly #seen = new Set<string>()
  /** False until the system has told anything of the tree. */
  get isKnown(): boolean {
    return this.#at !== undefined
  }

  readonly #busy = new BusyShare()
  #cpu = 0
  /** CPU time that was told in a shorter interval than it was used in: clocks of the system step by 10 ms. */
  #carried = 0
  #resident = 0
  #pids: ReadonlySet<number> = new Set()
  #at: number | undefined
  #began: Seconds | undefined

  constructor(tree: TreeSource, tally: Tally) {
    this.#tree = tree
    this.#tally = tally
  }

  /** Holds the energy of an interval back until {@link settle} can say whose it was. */
  hold(step: EnergyStep, gramsPerKwh: number): void {
    const key = `${step.component} ${step.method} ${step.domain ?? ''}`
    const held = this.#pending.get(key)
    if (held === undefined) {
      this.#pending.set(key, { step, weightedGrams: step.value * gramsPerKwh, gramsPerKwh })
      return
    }
    held.weightedGrams += step.value * gramsPerKwh
    held.gramsPerKwh = gramsPerKwh
    held.step = {
      ...step,
      value: held.step.value + step.value,
      low: held.step.low + step.low,
      high: held.step.high + step.high,
      dynamic: (held.step.dynamic ?? 0) + (step.dynamic ?? 0),
    }
  }

  /** Shares out what is held; where the system would not say, it stays held until the next time. */
  settle(at: Seconds, { logicalCpus, cpuBusy, memoryBytes, gpuUse }: MachineNow): void {
    const use = this.#tree.read()
    if (use === undefined) return
    const time = at - (this.#at ?? at)
    // A process that ended within the interval has no memory at its end, one that began in it had none at its beginning.
    const resident = Math.max(this.#resident, use.residentBytes)
    this.#resident = use.residentBytes
    const heldShare =
      memoryBytes === undefined || memoryBytes <= 0 ? undefined : ratio(resident / memoryBytes)
    const first = this.#at === undefined
    this.#began ??= at
    if (time <= 0 && !first) return
    const busyShare = this.#busy.since(use.cpu, cpuBusy)
    const capacity = time * logicalCpus
    const used = first ? 0 : use.cpu - this.#cpu + this.#carried
    const cpuShare = capacity > 0 ? ratio(used / capacity) : ratio(0)
    this.#carried = Math.min(Math.max(0, used - capacity), maxCarriedSeconds * logicalCpus)
    this.#at = at
    this.#cpu = use.cpu
    this.#tally.occupy(seconds(time * cpuShare))
    // A process that ended within the interval has used the card in it.
    const pids = use.pids === undefined ? undefined : new Set([...this.#pids, ...use.pids])
    this.#pids = use.pids ?? new Set()

    for (const { step, weightedGrams, gramsPerKwh } of this.#pending.values()) {
      const ramShare = heldShare === undefined ? undefined : memoryShare(step, heldShare, busyShare)
      const gpuShare = gpuShareOf(step, pids, gpuUse)
      const share = { cpu: cpuShare, ram: ramShare, gpu: gpuShare }[step.component]
      // Nothing yet is less than the system can see: not zero, but too short, or too idle, to tell. Of a graphics processor it is told.
      const isUnseen = share === 0 && gpuShare === undefined && !this.#seen.has(step.component)
      if (share === undefined || isUnseen) continue
      this.#seen.add(step.component)
      this.#tally.tell(step.component, at, this.#began)
      this.#tally.add(step, step.value > 0 ? weightedGrams / step.value : gramsPerKwh, share)
    }
    this.#pending.clear()
  }
}

/** The sum of the shares of its processes; `undefined` where nobody tells whose work the device did. */
function gpuShareOf(
  { component, domain }: EnergyStep,
  pids: ReadonlySet<number> | undefined,
  gpuUse: MachineNow['gpuUse'],
): Ratio | undefined {
  const shares = component === 'gpu' && domain !== undefined ? gpuUse?.get(domain) : undefined
  if (shares === undefined || pids === undefined) return undefined
  return ratio([...shares].reduce((sum, [pid, share]) => (pids.has(pid) ? sum + share : sum), 0))
}

/**
 * What is there at idle goes by the memory held, what load adds by the share of the busy CPU time: to one share of value and interval
 * alike, so that no end of what the tree gets is beyond that of the machine. Where nobody tells the parts, all goes by memory.
 */
function memoryShare({ value, dynamic = 0 }: EnergyStep, held: Ratio, busy: Ratio = held): Ratio {
  const part = value > 0 ? ratio(dynamic / value) : 0
  return ratio((1 - part) * held + part * busy)
}

/** Energy not yet shared out, with the grams per kWh of the moments it was used in. */
interface Held {
  step: EnergyStep
  weightedGrams: number
  gramsPerKwh: number
}
