import type { Probe, ProbeResult } from '../core/probe.ts'
import type { Component, Reading } from '../core/reading.ts'
import { joules } from '../core/units.ts'

/**
 * A meter, and a model that stands in for it while it tells nothing of a component: before it is known whether it may be read, and while
 * it is down. What the model tells stays a domain of its own, `<domain>-model`, under the model's name and method, so that a total says how
 * much of it was measured.
 *
 * For meters that lose what is used while they are down, such as a sampling child process; a counter that catches up would count that time
 * again. Time passes from one to the other at reads: the interval in which the meter begins to tell is still the model's, and the meter
 * counts from there on.
 */
export function createStandIn(meter: Probe, model: Probe, component: Component): Probe {
  const shares = new Map<string, Share>()
  let toldBefore = false

  function counted(reading: Reading, domain: string, isItsTurn: boolean): Reading {
    let share = shares.get(domain)
    if (share === undefined) {
      share = new Share()
      shares.set(domain, share)
    }
    share.take(reading, isItsTurn)
    return { ...reading, domain, ...share.energy }
  }

  return {
    name: meter.name,
    ...(model.maxInterval === undefined ? {} : { maxInterval: model.maxInterval }),
    read(context): ProbeResult {
      const own = meter.read(context)
      const stood = model.read(context)
      const tells = own.readings.some((reading) => reading.component === component)
      const isMetersTurn = tells && toldBefore
      toldBefore = tells

      const readings = own.readings.map((reading) =>
        reading.component === component ? counted(reading, reading.domain, isMetersTurn) : reading,
      )
      for (const reading of stood.readings) {
        const share = counted(reading, `${reading.domain}-model`, !isMetersTurn)
        // A model that was never needed is not mentioned.
        if (!tells || share.high > 0) readings.push(share)
      }
      return { readings, problems: [...own.problems, ...stood.problems] }
    },
    close() {
      meter.close?.()
      model.close?.()
    },
  }
}

const numbers = ['energy', 'low', 'high'] as const

/** What a domain counted in the intervals that were its to tell. */
class Share {
  readonly #last = { energy: 0, low: 0, high: 0 }
  readonly #sum = { energy: 0, low: 0, high: 0 }

  take(reading: Reading, isItsTurn: boolean): void {
    for (const number of numbers) {
      if (isItsTurn) this.#sum[number] += Math.max(0, reading[number] - this.#last[number])
      this.#last[number] = reading[number]
    }
  }

  get energy(): Pick<Reading, (typeof numbers)[number]> {
    const { energy, low, high } = this.#sum
    return { energy: joules(energy), low: joules(low), high: joules(high) }
  }
}
