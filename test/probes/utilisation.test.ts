import { describe, expect, test } from 'vitest'
import type { LoadSource } from '../../src/core/load.ts'
import { seconds } from '../../src/core/units.ts'
import { createUtilisation, type Utilisation } from '../../src/probes/utilisation.ts'

/** Four CPUs of which a share is busy, told in steps of 10 ms as the kernel does. */
function machine(share: number): { busy(share: number): void; ask(passed: number): ReturnType<Utilisation> } {
  const cpus = 4
  let at = 100
  let busySeconds = 0
  let current = share
  const steps = (time: number): number => Math.floor(time * 100 + 1e-9) / 100
  const load: LoadSource = {
    read: () => ({
      cpuBusy: seconds(steps(busySeconds)),
      cpuCapacity: seconds(cpus * steps(at - 100)),
    }),
  }
  const utilisation = createUtilisation(load)
  return {
    busy(next) {
      current = next
    },
    ask(passed) {
      at += passed
      busySeconds += current * cpus * passed
      return utilisation(seconds(at))
    },
  }
}

test('the first time nobody can tell', () => {
  expect(machine(0.5).ask(0)).toBeUndefined()
})

test('utilisation is the mean since it was last asked', () => {
  const { ask, busy } = machine(0.25)
  ask(0)
  expect(ask(1)).toBeCloseTo(0.25, 2)
  busy(0.75)
  expect(ask(2)).toBeCloseTo(0.75, 2)
  busy(0)
  expect(ask(1)).toBeCloseTo(0, 2)
})

test('callers at the same moment get the same answer', () => {
  const { ask } = machine(0.5)
  ask(0)
  const first = ask(1)
  expect(ask(0)).toBe(first)
  expect(ask(0)).toBe(first)
})

describe('windows too short for steps of 10 ms', () => {
  test('are widened into the past, so that two calls 1 ms apart show neither 0 nor 100 %', () => {
    const { ask } = machine(0.5)
    ask(0)
    ask(1)
    expect(ask(0.001)).toBeCloseTo(0.5, 1)
    expect(ask(0.001)).toBeCloseTo(0.5, 1)
  })

  test('stay near the truth however often it is asked', () => {
    const { ask } = machine(0.4)
    ask(0)
    ask(0.2)
    for (let call = 0; call < 2000; call += 1) {
      const value = ask(0.001) ?? NaN
      expect(value).toBeGreaterThan(0.25)
      expect(value).toBeLessThan(0.55)
    }
  })

  test('follow a change of load within two tenths of a second', () => {
    const { ask, busy } = machine(0)
    ask(0)
    ask(0.2)
    for (let call = 0; call < 100; call += 1) ask(0.001)
    busy(1)
    for (let call = 0; call < 210; call += 1) ask(0.001)
    expect(ask(0.001)).toBeGreaterThan(0.9)
  })
})

test('where the system tells nothing, neither is there a utilisation, and it comes back with the system', () => {
  let isHidden = false
  const load: LoadSource = {
    read: (at) => (isHidden ? {} : { cpuBusy: seconds(at / 2), cpuCapacity: seconds(at) }),
  }
  const utilisation = createUtilisation(load)
  utilisation(seconds(1))
  expect(utilisation(seconds(2))).toBeCloseTo(0.5, 9)
  isHidden = true
  expect(utilisation(seconds(3))).toBeUndefined()
  isHidden = false
  expect(utilisation(seconds(4))).toBeCloseTo(0.5, 9)
})

test('CPU times that run backwards, as they may for a moment, are no negative load', () => {
  const times = [10, 9.99]
  let index = 0
  const utilisation = createUtilisation({
    read: (at) => ({ cpuBusy: seconds(times[index++] ?? 0), cpuCapacity: seconds(at) }),
  })
  utilisation(seconds(1))
  expect(utilisation(seconds(2))).toBe(0)
})
