import type { Estimate } from '../core/estimate.ts'
import { Integrator } from '../core/integrator.ts'
import type { FrequencySource } from '../core/load.ts'
import type { Probe } from '../core/probe.ts'
import type { Component, DomainKind, Reading } from '../core/reading.ts'
import { joules, seconds, watts, type Ratio, type Seconds, type Watts } from '../core/units.ts'
import type { Utilisation } from './utilisation.ts'

/** A model of one component's power. */
export interface PowerModel {
  /** Name of the probe, as `probe` of its readings. */
  readonly name: string
  readonly component: Component
  readonly domain: string
  readonly kind: DomainKind
  /** TDP of what is modelled, where it has one. */
  readonly powerLimit?: Watts | undefined
  /**
   * Mean power over a time in which the CPUs were this busy, and ran at this share of their base frequency; without a number, nobody
   * could tell.
   */
  readonly power: (utilisation: Ratio | undefined, frequencyRatio?: number) => ModelledPower
}

/** Power by a model that may tell apart what load adds to the power at idle. */
export interface ModelledPower extends Estimate<Watts> {
  readonly dynamic?: Watts
}

/** The curve between load and power is bent, so a mean over a long time would be wrong for a load that comes and goes. */
const modelIntervalSeconds = seconds(1)

/** A probe out of a model: cumulative energy from the utilisation of each interval. Needs no permission, costs one read of procfs. */
export function createEstimateProbe(
  model: PowerModel,
  utilisation: Utilisation | undefined,
  frequency?: FrequencySource,
): Probe {
  const energy = new Integrator()
  let dynamic: number | undefined
  let last: Seconds | undefined
  let closed = false

  return {
    name: model.name,
    maxInterval: modelIntervalSeconds,
    read({ at }) {
      if (closed) return { readings: [], problems: [] }
      const busy = utilisation?.(at)
      const elapsed = seconds(at - (last ?? at))
      if (elapsed > 0) {
        const power = model.power(busy, frequency?.read(at))
        energy.hold(power, elapsed)
        if (power.dynamic !== undefined) dynamic = (dynamic ?? 0) + power.dynamic * elapsed
      }
      last = at
      const { value, low, high } = energy.energy
      const { name, component, domain, kind, powerLimit } = model
      const reading: Reading = {
        domain,
        kind,
        component,
        method: 'estimated',
        probe: name,
        energy: value,
        low,
        high,
        powerLimit,
        ...(dynamic === undefined ? {} : { dynamic: joules(dynamic) }),
      }
      return { readings: [reading], problems: [] }
    },
    close() {
      if (!closed) frequency?.close()
      closed = true
    },
  }
}

/** A power that the user told: taken as it is, for the interval cannot be known better than by who measured it. */
export const constantPower =
  (power: number): PowerModel['power'] =>
  () => ({ value: watts(power), low: watts(power), high: watts(power) })
