import { addEstimates, exactly, mapEstimate, type Estimate } from './estimate.ts'
import type { Component, Method } from './reading.ts'
import { grams, joules, ratio, seconds, type Grams, type Joules, type Ratio, type Seconds } from './units.ts'

/** The components that add up to the total. */
export const countedComponents: readonly CountedComponent[] = ['cpu', 'ram', 'gpu']
/** One of {@link countedComponents}. */
export type CountedComponent = Exclude<Component, 'host'>

/** Energy of one component, and how much of it was obtained in which way. */
export interface EnergyUse extends Estimate<Joules> {
  /** For how much of the time somebody told this energy; the rest is unmeasured, not zero. */
  readonly told: Seconds
  /** That this energy has caused. */
  readonly emissions: Grams
  readonly methods: Readonly<Record<Method, Joules>>
}

/**
 * What was used over some time: energy by component, and the emissions it caused, integrated with the carbon intensity of each
 * moment. Cumulative in a snapshot; the difference of two in a scope. A component that nobody measured is absent.
 */
export interface Usage {
  readonly time: Seconds
  /** Time of the whole machine that was taken up: all of `time`, or a process tree's share of it by CPU time. */
  readonly machineTime: Seconds
  readonly energy: Readonly<Partial<Record<CountedComponent, EnergyUse>>>
  readonly emissions: Estimate<Grams>
}

const noMethods: Readonly<Record<Method, Joules>> = {
  measured: joules(0),
  integrated: joules(0),
  estimated: joules(0),
}

/** No time, no energy. */
export const noUsage: Usage = {
  time: seconds(0),
  machineTime: seconds(0),
  energy: {},
  emissions: exactly(grams(0)),
}

/** `a + weight · b`; a component absent in one is as good as zero there, one absent in both stays absent. */
export function addUsage(a: Usage, b: Usage, weight = 1): Usage {
  const energy: Partial<Record<CountedComponent, EnergyUse>> = {}
  for (const component of countedComponents) {
    const x = a.energy[component]
    const y = b.energy[component]
    if (x === undefined && y === undefined) continue
    energy[component] = addEnergy(x ?? noEnergy, y ?? noEnergy, weight)
  }
  return {
    time: seconds(a.time + weight * b.time),
    machineTime: seconds(a.machineTime + weight * b.machineTime),
    energy,
    emissions: addEstimates(a.emissions, b.emissions, weight),
  }
}

/** `weight · a`. */
export const scaleUsage = (a: Usage, weight: number): Usage => addUsage(noUsage, a, weight)

/** What graphics processors used, which took no time of the machine's. */
export function onlyGpu({ energy: { gpu } }: Usage): Usage {
  if (gpu === undefined) return noUsage
  return { ...noUsage, energy: { gpu }, emissions: emissionsOf(gpu) }
}

const emissionsOf = (use: EnergyUse): Estimate<Grams> =>
  mapEstimate(use, (energy) => (use.value === 0 ? zero : grams((use.emissions * energy) / use.value)))

/** All but that. */
export function withoutGpu(usage: Usage): Usage {
  const { gpu, ...energy } = usage.energy
  if (gpu === undefined) return usage
  return { ...usage, energy, emissions: addEstimates(usage.emissions, onlyGpu(usage).emissions, -1) }
}

/** As much of what is wanted as there is, component by component. */
export function takeFrom(stock: Usage, wanted: Usage): Usage {
  const energy: Partial<Record<CountedComponent, EnergyUse>> = {}
  let emissions = noUsage.emissions
  for (const component of countedComponents) {
    const [there, asked] = [stock.energy[component], wanted.energy[component]]
    if (there === undefined || asked === undefined || !(there.value > 0)) continue
    const part = Math.min(1, asked.value / there.value)
    const taken = addEnergy(noEnergy, there, part)
    energy[component] = taken
    emissions = addEstimates(emissions, emissionsOf(taken))
  }
  const time = seconds(Math.min(stock.time, wanted.time))
  const machineTime = seconds(Math.min(stock.machineTime, wanted.machineTime))
  return { time, machineTime, energy, emissions }
}

/** What was used between two snapshots. A component that nobody told of in that time is absent. */
export function usageBetween(before: Usage, after: Usage): Usage {
  const { time, machineTime, energy, emissions } = addUsage(after, before, -1)
  const isTold = (component: CountedComponent): boolean =>
    after.energy[component] !== undefined &&
    (time <= 0 || (energy[component]?.told ?? 0) > 0 || energy[component]?.value !== 0)
  return {
    time,
    machineTime,
    energy: Object.fromEntries(
      countedComponents.filter(isTold).map((component) => [component, energy[component]]),
    ),
    emissions,
  }
}

/** Sum over the components. */
export function totalEnergy(usage: Usage): Estimate<Joules> {
  let total = exactly(joules(0))
  for (const component of countedComponents) {
    const use = usage.energy[component]
    if (use !== undefined) total = addEstimates(total, use)
  }
  return total
}

/** Share of the energy that hardware counters told; `undefined` where no energy was used. */
export function measuredShare(usage: Usage): Ratio | undefined {
  let total = 0
  let measured = 0
  for (const component of countedComponents) {
    const use = usage.energy[component]
    total += use?.value ?? 0
    measured += use?.methods.measured ?? 0
  }
  return total > 0 ? ratio(measured / total) : undefined
}

/** The method of most of a component's energy; `undefined` where it used none. */
export function mainMethod(use: EnergyUse): Method | undefined {
  if (use.value === 0) return undefined
  const { measured, integrated, estimated } = use.methods
  if (measured >= integrated && measured >= estimated && measured > 0) return 'measured'
  return integrated > estimated ? 'integrated' : 'estimated'
}

const zero = grams(0)

const noEnergy: EnergyUse = {
  ...exactly(joules(0)),
  told: seconds(0),
  emissions: grams(0),
  methods: noMethods,
}

function addEnergy(a: EnergyUse, b: EnergyUse, weight: number): EnergyUse {
  return {
    ...addEstimates(a, b, weight),
    told: seconds(a.told + weight * b.told),
    emissions: grams(a.emissions + weight * b.emissions),
    methods: {
      measured: joules(a.methods.measured + weight * b.methods.measured),
      integrated: joules(a.methods.integrated + weight * b.methods.integrated),
      estimated: joules(a.methods.estimated + weight * b.methods.estimated),
    },
  }
}
