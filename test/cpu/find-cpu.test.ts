import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { normaliseCpuName, tokensOf } from '../../src/cpu/cpu-name.ts'
import { findCpu } from '../../src/cpu/find-cpu.ts'
import { doubtfulNames, knownNames, maskedNames } from './golden-names.ts'

const { rows } = JSON.parse(readFileSync('data/cpu-tdp.json', 'utf8')) as { rows: [string, number][] }
const names = rows.map(([name]) => name)
const everyTenth = names.filter((_, index) => index % 10 === 0)

describe('a processor looked up by name', () => {
  it.each(knownNames)('"%s" is %s (%s)', (name, part, matchedBy) => {
    expect(findCpu(name)).toMatchObject({ name: part, matchedBy })
  })

  it.each(maskedNames)('"%s" is no part', (name) => {
    expect(findCpu(name)).toBeUndefined()
  })

  it.each(doubtfulNames)('"%s" is not taken for another part', (name) => {
    expect(findCpu(name)).toBeUndefined()
  })

  it('has the TDP of the datasheet, and the turbo power beside it', () => {
    expect(findCpu('Intel(R) Core(TM) i9-14900K')).toMatchObject({
      tdpWatts: 125,
      tdpMaxWatts: 253,
      confidence: 'high',
    })
    expect(findCpu('AMD EPYC 7763 64-Core Processor')).toEqual({
      name: 'AMD EPYC 7763',
      matchedBy: 'normalised',
      tdpWatts: 280,
      tdpMaxWatts: undefined,
      confidence: 'high',
      source: 'AMD product specifications',
      year: 2021,
      cores: 64,
      threads: 128,
      microarchitecture: undefined,
      wattsPerThread: undefined,
    })
  })

  it('finds every row of the table by its own name', () => {
    for (const [name, tdpWatts] of rows)
      expect(findCpu(name)).toMatchObject({ name, tdpWatts, matchedBy: 'exact' })
  })

  it('finds a row of the same name when it is decorated as processors decorate it', () => {
    for (const name of everyTenth) {
      const found = findCpu(`${name.replace(/^(Intel|AMD) (\w+)/, '$1(R) $2(TM)')} CPU @ 2.60GHz`)
      expect(normaliseCpuName(found?.name ?? '')).toBe(normaliseCpuName(name))
    }
  })

  it('never answers a model number with a part that has another', () => {
    const wrong = everyTenth.flatMap((name) => {
      const models = [...tokensOf(normaliseCpuName(name)).models]
      const longest = models.reduce((best, word) => (word.length > best.length ? word : best), '')
      if (longest.length < 3) return []
      // The same name with the digits of its number turned by one.
      const other = longest.replace(/\d/g, (digit) => String((Number(digit) + 1) % 10))
      const asked = name.toLowerCase().replace(longest, other)
      const found = findCpu(asked)?.name
      return found === undefined || found.toLowerCase().includes(other) ? [] : [`${asked} → ${found}`]
    })
    expect(wrong).toEqual([])
  })

  it('prefers the surer of two rows of one name', () => {
    expect(findCpu('AMD A10 Micro-6700T Processor')).toMatchObject({ tdpWatts: 4.5, confidence: 'high' })
  })
})

describe('a processor looked up by CPUID', () => {
  const intel = (model: number, stepping?: number): ReturnType<typeof findCpu> =>
    findCpu({ vendor: 'GenuineIntel', family: 6, model, stepping })

  it('has the microarchitecture and its watts per thread, and no TDP', () => {
    expect(intel(85, 7)).toEqual({
      name: 'Intel Cascade Lake',
      matchedBy: 'cpuid',
      microarchitecture: 'Cascade Lake',
      wattsPerThread: { idle: 0.57, full: 4.639 },
      confidence: 'medium',
      source: 'Intel perfmon, mapfile.csv; Teads, AWS platform sheet',
      tdpWatts: undefined,
      tdpMaxWatts: undefined,
      year: undefined,
      cores: undefined,
      threads: undefined,
    })
  })

  it('tells generations that share a model apart by their stepping, and says nothing without it', () => {
    expect([4, 7, 11].map((stepping) => intel(85, stepping)?.microarchitecture)).toEqual([
      'Skylake',
      'Cascade Lake',
      'Cooper Lake',
    ])
    expect(intel(158, 9)?.microarchitecture).toBe('Kaby Lake')
    expect(intel(158, 10)?.microarchitecture).toBe('Coffee Lake')
    expect(intel(85)).toBeUndefined()
    expect(intel(85, 9)).toBeUndefined()
    expect(intel(106)?.microarchitecture).toContain('Ice Lake')
  })

  it.each([
    ['GenuineIntel 6/85/7', 'Intel Cascade Lake'],
    ['genuineintel 6/143/8', 'Intel Sapphire Rapids'],
    ['AuthenticAMD 25/1', 'AMD Zen 3'],
    ['Intel64 Family 6 Model 79 Stepping 1, GenuineIntel', 'Intel Broadwell'],
    ['AMD64 Family 23 Model 49 Stepping 0, AuthenticAMD', 'AMD Zen 2'],
    ['Neoverse-N1', 'Arm Neoverse N1'],
    ['Cortex-A72', 'Arm Cortex-A72'],
  ])('reads "%s"', (text, name) => {
    expect(findCpu(text)).toMatchObject({ name, matchedBy: 'cpuid' })
  })

  it.each([
    ['0xd08', 'Cortex-A72'],
    ['0xd0c', 'Neoverse N1'],
    ['0xD40', 'Neoverse V1'],
    ['d4f', 'Neoverse V2'],
    [0xd49, 'Neoverse N2'],
  ])('knows the Arm part %s as %s', (midrPart, microarchitecture) => {
    expect(findCpu({ midrPart })).toMatchObject({ microarchitecture, matchedBy: 'cpuid' })
  })

  it('is unknown where the table does not have it', () => {
    expect(findCpu({ midrPart: '0x022', midrImplementer: '0x61' })).toBeUndefined()
    expect(findCpu({ midrPart: '0xd0c', midrImplementer: '0x48' })).toBeUndefined()
    expect(findCpu({ midrPart: '' })).toBeUndefined()
    expect(findCpu('GenuineIntel 6/999/1')).toBeUndefined()
    expect(findCpu('HygonGenuine 24/1/1')).toBeUndefined()
  })

  it('leaves the watts open for a microarchitecture that nobody has figures for', () => {
    expect(intel(221)).toMatchObject({
      name: 'Intel Clearwater Forest',
      wattsPerThread: undefined,
      confidence: 'low',
    })
  })
})

describe('the time of a look-up', () => {
  it('is short, with the table loaded', () => {
    findCpu('AMD EPYC 7763')
    const start = performance.now()
    for (let round = 0; round < 50; round++) {
      findCpu('Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz')
      findCpu('EPYC 7763')
      findCpu('Intel Xeon Gold 8370C')
    }
    // 15 ms for one would be 2 s; a loaded test machine may be slow.
    expect((performance.now() - start) / 150).toBeLessThan(15)
  })
})
