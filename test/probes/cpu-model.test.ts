import { describe, expect, test } from 'vitest'
import { cpuPowerAtUnknownLoad, estimateCpuPower, fullLoadShare } from '../../src/core/power-model.ts'
import { ratio } from '../../src/core/units.ts'
import { createCpuModel, type CpuModel } from '../../src/probes/cpu-model.ts'
import { parseCpuInfo, type CpuInfo } from '../../src/probes/linux/cpuinfo.ts'
import { amdZenDesktop, gravitonCpuInfo, twoSocketXeon, virtualMachine } from '../fixtures/machines.ts'

const unknown: CpuInfo = { modelName: 'Frobnicator 9000', logicalCpus: 8, isVirtual: false }
const at = (model: CpuModel, utilisation: number): number => model.power(ratio(utilisation)).value

/** Width of the interval in shares of the estimate. */
function width(model: CpuModel): number {
  const { value, low, high } = model.power(ratio(0.5))
  return (high - low) / value
}

describe('what the processors are taken to draw', () => {
  test('by name: the TDP of the part, for each socket', () => {
    const model = createCpuModel(parseCpuInfo(twoSocketXeon.cpuinfo))
    const { part } = model
    expect(part?.tdpWatts).toBeGreaterThan(0)
    expect(model.tdpWatts).toBe(2 * (part?.tdpWatts ?? NaN))
    expect(at(model, 0.5)).toBeCloseTo(
      estimateCpuPower({ tdpWatts: part?.tdpWatts ?? NaN, sockets: 2, utilisation: 0.5 }).watts,
      6,
    )
  })

  test('of a desktop of AMD: the TDP of its one socket', () => {
    expect(createCpuModel(parseCpuInfo(amdZenDesktop.cpuinfo)).tdpWatts).toBe(105)
  })

  test('in a virtual machine: the share of its threads', () => {
    const whole = parseCpuInfo(amdZenDesktop.cpuinfo)
    const quarter = createCpuModel({ ...whole, isVirtual: true, logicalCpus: 4 })
    expect(quarter.tdpWatts).toBeCloseTo(105 / 4, 9)
    // More threads than a part has are those of several sockets, however many sockets the hypervisor shows.
    expect(createCpuModel({ ...whole, isVirtual: true, sockets: 64, logicalCpus: 64 }).tdpWatts).toBe(4 * 105)
    expect(createCpuModel({ ...whole, logicalCpus: 4 }).tdpWatts).toBe(105)
  })

  test('in a virtual machine of a part whose threads nobody knows: watts per thread, never a whole socket', () => {
    const xeon = { modelName: 'INTEL(R) XEON(R) PLATINUM 8481C', logicalCpus: 2, isVirtual: true }
    const assumed = createCpuModel(xeon)
    expect(assumed.part?.name).toContain('8481C')
    expect(at(assumed, 1)).toBeCloseTo(8, 6)
    expect(assumed.basis).toContain('assumed 4 W each')
    const family = createCpuModel({ ...xeon, vendor: 'GenuineIntel', family: 6, model: 143, stepping: 8 })
    expect(at(family, 1)).toBeLessThan(20)
    expect(family.basis).toContain('2 threads of a')
    expect(createCpuModel({ ...unknown, isVirtual: true, logicalCpus: 2 }).basis).toContain('2 threads')
  })

  test.each([
    ['a masked name', virtualMachine.cpuinfo],
    ['no name', gravitonCpuInfo],
  ])('with %s: the watts per thread of the family at full load, with a wider interval', (_, cpuinfo) => {
    const cpu = parseCpuInfo(cpuinfo)
    const model = createCpuModel(cpu)
    expect(model.part?.matchedBy).toBe('cpuid')
    const full = (model.part?.wattsPerThread?.full ?? NaN) * cpu.logicalCpus
    expect(at(model, 1)).toBeCloseTo(full, 6)
    expect(width(model)).toBeGreaterThan(width(createCpuModel(parseCpuInfo(amdZenDesktop.cpuinfo))))
  })

  test('where nobody knows the processor: an assumption of 85 W, with the widest interval', () => {
    const model = createCpuModel(unknown)
    expect(model.tdpWatts).toBe(85)
    expect(model.part).toBeUndefined()
    expect(width(model)).toBeGreaterThan(width(createCpuModel(parseCpuInfo(gravitonCpuInfo))))
  })

  test('as told by the user: a TDP of the whole machine', () => {
    const model = createCpuModel(parseCpuInfo(twoSocketXeon.cpuinfo), { forceCpuPower: 150 })
    expect(model.tdpWatts).toBe(150)
    expect(at(model, 1)).toBeCloseTo(fullLoadShare * 150, 9)
  })

  test('as told by the user: another name', () => {
    const model = createCpuModel(unknown, { cpuModel: 'AMD Ryzen 7 5800X' })
    expect(model.tdpWatts).toBe(105)
  })

  test('as told by the user: watts at idle and at full load', () => {
    const model = createCpuModel(parseCpuInfo(twoSocketXeon.cpuinfo), { cpuIdleWatts: 60, cpuMaxWatts: 500 })
    expect(at(model, 0)).toBeCloseTo(60, 9)
    expect(at(model, 1)).toBeCloseTo(500, 9)
  })

  test('at an unknown load: half load, with an interval from idle to full', () => {
    const model = createCpuModel(unknown, { forceCpuPower: 100 })
    const expected = cpuPowerAtUnknownLoad({ tdpWatts: 100 })
    expect(model.power(undefined)).toEqual({ value: expected.watts, low: expected.low, high: expected.high })
  })

  test('a processor of an unknown name that is configured is an assumption too, and is named', () => {
    const model = createCpuModel(parseCpuInfo(twoSocketXeon.cpuinfo), { cpuModel: 'Frobnicator 9000' })
    expect(model.tdpWatts).toBe(85)
  })

  test('watts at full load that are known do not get the interval of an unknown processor', () => {
    const known = createCpuModel(unknown, { cpuMaxWatts: 120 })
    const named = createCpuModel(parseCpuInfo(amdZenDesktop.cpuinfo), { cpuMaxWatts: 120 })
    expect(width(known)).toBeCloseTo(width(named), 9)
  })

  test('a frequency below the base frequency is less power', () => {
    const model = createCpuModel(parseCpuInfo(amdZenDesktop.cpuinfo))
    const [slow, fast] = [0.5, 1].map((frequency) => model.power(ratio(0.5), frequency).value)
    expect(slow).toBeLessThan(fast ?? NaN)
    expect(fast).toBe(at(model, 0.5))
  })

  test.each([
    ['codecarbon', 0.2125, 'cpu_power_model=codecarbon'],
    ['constant', 0.5, 'cpu_power_model=constant'],
  ] as const)(
    'by the model %s: %d of the TDP at half load, and the basis says so',
    (cpuPowerModel, share, word) => {
      const model = createCpuModel(parseCpuInfo(amdZenDesktop.cpuinfo), { cpuPowerModel })
      expect(at(model, 0.5)).toBeCloseTo(share * 105, 9)
      expect(model.basis).toContain(word)
      expect(model.power(undefined).value).toBeCloseTo(0.5 * 105, 9)
      const { low, high } = model.power(ratio(0.5))
      const standard = createCpuModel(parseCpuInfo(amdZenDesktop.cpuinfo))
      expect(low).toBeLessThanOrEqual(standard.power(ratio(0.5)).low)
      expect(high).toBeGreaterThanOrEqual(standard.power(ratio(0.5)).high)
      expect(standard.basis).not.toContain('cpu_power_model')
    },
  )
})
