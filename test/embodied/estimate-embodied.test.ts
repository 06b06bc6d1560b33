import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { embodiedOver } from '../../src/core/embodied.ts'
import { fromYears, seconds, toKilograms, type Grams } from '../../src/core/units.ts'
import { estimateEmbodied, type EmbodiedMachine } from '../../src/embodied/estimate-embodied.ts'

const machine: EmbodiedMachine = {
  kind: 'laptop',
  logicalCpus: 8,
  sockets: 1,
  threadsPerSocket: () => undefined,
  memoryGigabytes: 16,
  gpus: 0,
}
const kilograms = (mass: Grams | undefined): number => toKilograms(mass ?? (Number.NaN as Grams))
const fourYears = { embodiedLifespanYears: 4 }

describe('the embodied emissions of a machine', () => {
  it('that is virtual are its part of the figure that the user gives for the server', () => {
    const virtual = { ...machine, kind: 'virtual', logicalCpus: 2 } as const
    const found = estimateEmbodied({ ...fourYears, embodiedEmissionsKg: 720 }, virtual)
    expect(kilograms(found?.reserved.value)).toBeCloseTo(20, 9)
    expect(kilograms(found?.reserved.low)).toBeCloseTo((720 * 2) / 256, 9)
    expect(kilograms(found?.reserved.high)).toBeCloseTo(30, 9)
    expect(found?.basis).toBe('2 of 72 threads of 720 kg, as configured, over 4 years')
  })

  it.each([0, 0.5, 1])('are in proportion to the share that is given: %d', (share) => {
    const virtual = { ...machine, kind: 'virtual', logicalCpus: 2 } as const
    const whole = estimateEmbodied({ ...fourYears, embodiedShare: 1 }, virtual)?.reserved.value ?? Number.NaN
    const part = estimateEmbodied({ ...fourYears, embodiedShare: share }, virtual)?.reserved.value
    expect(part).toBeCloseTo(whole * share, 6)
  })

  it('are the figure that the user gives, without an interval', () => {
    const found = estimateEmbodied(
      { ...fourYears, embodiedEmissionsKg: 500 },
      { ...machine, kind: undefined },
    )
    expect(found?.reserved).toEqual({ value: 500_000, low: 500_000, high: 500_000 })
    expect(found).toMatchObject({ basis: '500 kg, as configured, over 4 years', source: 'given by the user' })
  })

  it('are those of the share that is reserved', () => {
    const given = { embodiedEmissionsKg: 500, embodiedShare: 0.25, embodiedLifespanYears: 6 }
    const found = estimateEmbodied(given, machine)
    expect(kilograms(found?.reserved.value)).toBe(125)
    expect(found?.basis).toBe('25 % of 500 kg, as configured, over 6 years')
  })

  it('may be nothing: zero is a value', () => {
    expect(estimateEmbodied({ ...fourYears, embodiedEmissionsKg: 0 }, machine)?.reserved.value).toBe(0)
  })

  it('are unknown where nobody says what the machine is', () => {
    expect(estimateEmbodied(fourYears, { ...machine, kind: undefined })).toBeUndefined()
  })

  it('of a laptop are those of published figures, which it names', () => {
    const found = estimateEmbodied(fourYears, machine)
    expect(found?.reserved).toEqual({ value: 203_000, low: 124_000, high: 277_000 })
    expect(found?.basis).toBe('a laptop, 203 kg, over 4 years')
    expect(found?.source).toMatch(/^Dell/)
  })

  it('of a server are added up from its processors, memory and graphics processors', () => {
    const server = { ...machine, kind: 'server', sockets: 2, memoryGigabytes: 16 + 384, gpus: 2 } as const
    // Teads: 1000 kg, 100 kg for the second processor, 533 kg for 384 GB more, 150 kg for each graphics processor
    expect(kilograms(estimateEmbodied(fourYears, server)?.reserved.value)).toBeCloseTo(
      1000 + 100 + 533 + 300,
      0,
    )
    expect(estimateEmbodied(fourYears, server)?.basis).toMatch(
      /^a server with 2 processors and 400 GB of memory/,
    )
  })

  it('of a virtual machine are those of its threads of a server with two processors, and of its memory', () => {
    const virtual = {
      ...machine,
      kind: 'virtual',
      logicalCpus: 16,
      threadsPerSocket: () => 128,
      memoryGigabytes: 64,
    } as const
    const found = estimateEmbodied(fourYears, virtual)
    expect(kilograms(found?.reserved.value)).toBeCloseTo(1100 * (16 / 256) + 64 * 1.388, 5)
    expect(found?.basis).toMatch(/^16 of 256 threads of a server and 64 GB of memory/)
  })

  it('of a virtual machine whose processors have no name have the interval of servers of several sizes', () => {
    const found = estimateEmbodied(fourYears, {
      ...machine,
      kind: 'virtual',
      logicalCpus: 4,
      memoryGigabytes: 0,
    })
    expect(kilograms(found?.reserved.low)).toBeCloseTo((560 * 4) / 256, 5)
    expect(kilograms(found?.reserved.value)).toBeCloseTo((1100 * 4) / 72, 5)
    expect(kilograms(found?.reserved.high)).toBeCloseTo((1760 * 4) / 48, 5)
  })

  it('of a virtual machine larger than any server that is known are those of a whole one', () => {
    const found = estimateEmbodied(fourYears, {
      ...machine,
      kind: 'virtual',
      logicalCpus: 448,
      memoryGigabytes: 0,
    })
    expect(kilograms(found?.reserved.value)).toBe(1100)
    expect(found?.basis).toMatch(/^448 of 448 threads/)
  })

  it('lie within their interval and grow with memory and processors', () => {
    const kind = fc.constantFrom('laptop', 'desktop', 'server', 'virtual')
    const many = fc.integer({ min: 1, max: 512 })
    fc.assert(
      fc.property(
        kind,
        many,
        many,
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        (is, cpus, memory, share) => {
          const given = { ...fourYears, embodiedShare: share ?? undefined }
          const one = estimateEmbodied(given, {
            ...machine,
            kind: is,
            logicalCpus: cpus,
            memoryGigabytes: memory,
          })
          const more = estimateEmbodied(given, {
            ...machine,
            kind: is,
            logicalCpus: share === null ? cpus + 1 : cpus,
            memoryGigabytes: memory + 1,
          })
          if (one === undefined || more === undefined) throw new Error('nothing was found')
          const { low, value, high } = one.reserved
          expect(low).toBeLessThanOrEqual(value)
          expect(value).toBeLessThanOrEqual(high)
          expect(more.reserved.value).toBeGreaterThanOrEqual(value)
        },
      ),
    )
  })
})

it('the share of a time is that of the life: M = TE × TiR / EL', () => {
  const found = estimateEmbodied({ ...fourYears, embodiedEmissionsKg: 1000 }, machine)
  if (found === undefined) throw new Error('nothing was found')
  // The example of the SCI: 1000 kg over four years are 28.5 g an hour.
  expect(embodiedOver(found, seconds(3600)).value).toBeCloseTo(28.54, 2)
  expect(embodiedOver(found, fromYears(4)).value).toBeCloseTo(1_000_000, 6)
  expect(embodiedOver(found, seconds(0)).value).toBe(0)
})
