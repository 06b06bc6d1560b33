import { describe, expect, test } from 'vitest'
import type { FrequencySource, LoadSource } from '../../src/core/load.ts'
import { createMeter } from '../../src/core/meter.ts'
import { estimateCpuPower, estimateMemoryPower } from '../../src/core/power-model.ts'
import type { Probe } from '../../src/core/probe.ts'
import { ratio, seconds, watts, type Ratio } from '../../src/core/units.ts'
import { constantPower, createEstimateProbe, type PowerModel } from '../../src/probes/estimates.ts'
import { createUtilisation } from '../../src/probes/utilisation.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'

const tdpWatts = 100

const cpuModel: PowerModel = {
  name: 'cpu-estimate',
  component: 'cpu',
  domain: 'cpu',
  kind: 'cpu',
  power(utilisation) {
    const estimate = estimateCpuPower({ tdpWatts, utilisation: utilisation ?? 0.5 })
    return { value: watts(estimate.watts), low: watts(estimate.low), high: watts(estimate.high) }
  },
}
const ramModel: PowerModel = {
  name: 'ram-estimate',
  component: 'ram',
  domain: 'ram',
  kind: 'ram',
  power: (utilisation) => estimateMemoryPower(64, utilisation),
}

/** A machine of four CPUs that the test keeps busy. */
function machine(): { load: LoadSource; work(time: number, share: number): void } {
  let busy = 0
  let capacity = 0
  return {
    load: { read: () => ({ cpuBusy: seconds(busy), cpuCapacity: seconds(capacity) }) },
    work(time, share) {
      busy += 4 * time * share
      capacity += 4 * time
    },
  }
}

for (const model of [cpuModel, ramModel]) {
  itIsAProbe(model.name, () => {
    const { load, work } = machine()
    return {
      probe: createEstimateProbe(model, createUtilisation(load)),
      work: (time) => {
        work(time, 0.3)
      },
    }
  })
}

itIsAProbe('an estimate without a load', () => ({
  probe: createEstimateProbe(cpuModel, undefined),
  work: () => undefined,
}))

describe('an estimate', () => {
  test('is power at the utilisation of each interval, over the time of each interval', () => {
    const { load, work } = machine()
    const probe = createEstimateProbe(cpuModel, createUtilisation(load))
    probe.read({ at: seconds(10), resumed: false })
    work(1, 0.1)
    probe.read({ at: seconds(11), resumed: false })
    work(2, 1)
    const { energy, low, high } = expectReading(probe.read({ at: seconds(13), resumed: false }), 'cpu')
    const at = (utilisation: number): ReturnType<typeof estimateCpuPower> =>
      estimateCpuPower({ tdpWatts, utilisation })
    expect(energy).toBeCloseTo(at(0.1).watts * 1 + at(1).watts * 2, 6)
    expect(low).toBeCloseTo(at(0.1).low * 1 + at(1).low * 2, 6)
    expect(high).toBeCloseTo(at(0.1).high * 1 + at(1).high * 2, 6)
  })

  test('asks for the frequency at each reading, and lets go of its source', () => {
    const { load, work } = machine()
    const asked: (number | undefined)[] = []
    let closed = 0
    const ratios = [0.9, 0.4, undefined]
    const frequency: FrequencySource = {
      read: () => ratios.shift(),
      close() {
        closed += 1
      },
    }
    const model: PowerModel = {
      ...cpuModel,
      power(utilisation, frequencyRatio) {
        asked.push(frequencyRatio)
        return cpuModel.power(utilisation)
      },
    }
    const probe = createEstimateProbe(model, createUtilisation(load), frequency)
    for (let at = 0; at < 4; at += 1) {
      probe.read({ at: seconds(at), resumed: false })
      work(1, 0.5)
    }
    expect(asked).toEqual([0.9, 0.4, undefined])
    probe.close?.()
    probe.close?.()
    expect(closed).toBe(1)
  })

  test('says that it is one, and what it counts towards', () => {
    const probe = createEstimateProbe(ramModel, undefined)
    const reading = expectReading(probe.read({ at: seconds(0), resumed: false }), 'ram')
    expect(reading).toMatchObject({
      method: 'estimated',
      component: 'ram',
      probe: 'ram-estimate',
      kind: 'ram',
    })
  })

  test('goes on by the model for an unknown load where the load cannot be read', () => {
    const asked: (Ratio | undefined)[] = []
    const model: PowerModel = {
      ...cpuModel,
      power(utilisation) {
        asked.push(utilisation)
        return { value: watts(10), low: watts(5), high: watts(20) }
      },
    }
    let isHidden = false
    const load: LoadSource = {
      read: (at) => (isHidden ? {} : { cpuBusy: seconds(at / 4), cpuCapacity: seconds(at) }),
    }
    const probe = createEstimateProbe(model, createUtilisation(load))
    for (const at of [1, 2, 3, 4]) {
      isHidden = at === 3
      const { problems } = probe.read({ at: seconds(at), resumed: false })
      expect(problems).toEqual([])
    }
    expect(asked.slice(-3)).toEqual([0.25, undefined, 0.25])
    expect(expectReading(probe.read({ at: seconds(4), resumed: false }), 'cpu').energy).toBe(30)
  })

  test('with a power that the user told has that power, at any load', () => {
    const { load, work } = machine()
    const probe = createEstimateProbe({ ...ramModel, power: constantPower(12) }, createUtilisation(load))
    probe.read({ at: seconds(0), resumed: false })
    work(5, 0.9)
    const { energy, low, high } = expectReading(probe.read({ at: seconds(5), resumed: false }), 'ram')
    expect([energy, low, high]).toEqual([60, 60, 60])
  })

  test('tells what load adds to the power at idle, where its model does', () => {
    const { load, work } = machine()
    const utilisation = createUtilisation(load)
    const [cpu, ram] = [cpuModel, ramModel].map((model) => createEstimateProbe(model, utilisation))
    for (const at of [0, 1, 3]) {
      if (at > 0) work(at, 0.5)
      cpu?.read({ at: seconds(at), resumed: false })
      ram?.read({ at: seconds(at), resumed: false })
    }
    const at = { at: seconds(3), resumed: false }
    const { energy, dynamic } = expectReading(ram?.read(at) ?? expect.fail(), 'ram')
    expect(dynamic).toBeCloseTo(energy - 3 * estimateMemoryPower(64, ratio(0)).value, 6)
    expect(expectReading(cpu?.read(at) ?? expect.fail(), 'cpu')).not.toHaveProperty('dynamic')
  })

  test('follows a load that comes and goes, since the meter reads it every second', () => {
    const { load, work } = machine()
    const utilisation = createUtilisation(load)
    const probes: Probe[] = [cpuModel, ramModel].map((model) => createEstimateProbe(model, utilisation))
    const clock = fakeClock()
    const meter = createMeter({ probes, clock, interval: seconds(15), gramsPerKwh: () => 0 })
    let expectedCpu = 0
    let expectedRam = 0
    for (let second = 0; second < 60; second += 1) {
      const share = second % 2
      work(1, share)
      clock.advance(1)
      expectedCpu += estimateCpuPower({ tdpWatts, utilisation: share }).watts
      expectedRam += estimateMemoryPower(64, ratio(share)).value
    }
    const { machine: used } = meter.read()
    expect(used.energy.cpu?.value).toBeCloseTo(expectedCpu, 3)
    expect(used.energy.ram?.value).toBeCloseTo(expectedRam, 3)
    meter.close()
  })
})
