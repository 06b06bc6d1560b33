import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMemoryModules } from '../../../src/probes/linux/smbios.ts'
import { bios, memoryDevice, structure, table, type FakeMemoryDevice } from '../../fixtures/smbios.ts'

const gibibyte = 2 ** 30

const only = (device: FakeMemoryDevice) => parseMemoryModules(table([device]))

describe('the memory modules of a table of the firmware', () => {
  test('are those of its sockets that hold one', () => {
    const found = parseMemoryModules(table([{}, { size: 0 }, { type: 0x22, speed: 5600, size: 0x4000 }]))
    expect(found).toEqual([
      { part: 'module', bytes: 16 * gibibyte, kind: 'DDR4', megatransfersPerSecond: 3200 },
      { part: 'module', bytes: 16 * gibibyte, kind: 'DDR5', megatransfersPerSecond: 5600 },
    ])
  })

  test.each([
    ['MiB', { size: 512 }, 2 ** 29],
    ['KiB, where the highest bit says so', { size: 0x8000 + 640 }, 640 * 1024],
    ['MiB in a field of its own', { size: 0x7fff, extendedSize: 128 * 1024 }, 128 * gibibyte],
    [
      'MiB in a field whose highest bit means nothing',
      { size: 0x7fff, extendedSize: 0x8000_8000 },
      32 * gibibyte,
    ],
  ] as const)('have their size in %s', (_, device, bytes) => {
    expect(only(device)).toMatchObject([{ bytes }])
  })

  test.each([
    ['an empty socket', { size: 0 }],
    ['a module of unknown size', { size: 0xffff }],
    [
      'a large one in a structure that ends before its size',
      { size: 0x7fff, extendedSize: 65_536, length: 27 },
    ],
    ['a large one that does not say its size', { size: 0x7fff, extendedSize: 0 }],
    ['an NVDIMM-N', { technology: 4 }],
    ['an NVDIMM-F', { technology: 5 }],
    ['an NVDIMM-P', { technology: 6 }],
    ['Intel Optane persistent memory', { technology: 7 }],
    ['a logical non-volatile device', { type: 0x1f }],
    ['the flash of the firmware', { type: 0x09, size: 16 }],
    ['video memory', { type: 0x05 }],
    ['HBM, which counts with its processor', { type: 0x21 }],
  ] as const)('do not count %s', (_, device) => {
    expect(only(device)).toEqual([])
  })

  test.each([
    [0x18, 'DDR3'],
    [0x1a, 'DDR4'],
    [0x1e, 'LPDDR4'],
    [0x22, 'DDR5'],
    [0x23, 'LPDDR5'],
    [0x02, undefined],
    [0xfe, undefined],
  ])('of type %d are called %s', (type, kind) => {
    expect(only({ type })).toMatchObject([{ kind }])
  })

  test('of an unknown technology count: older firmware says so of all', () => {
    expect(only({ technology: 2 })).toHaveLength(1)
  })

  test.each([
    ['the speed that it was configured for', { speed: 4800, configuredSpeed: 4400 }, 4400],
    ['the highest, where nothing was configured', { speed: 2666, configuredSpeed: 0 }, 2666],
    ['the highest, in a structure of version 2.6', { speed: 1333, length: 28 }, 1333],
    ['none, in a structure of version 2.1', { speed: 1333, length: 21 }, undefined],
    ['none, where nobody knows', { speed: 0 }, undefined],
    ['that of a field of its own', { configuredSpeed: 0xffff, extendedSpeed: 70_000 }, 70_000],
  ] as const)('have as their speed %s', (_, device, megatransfersPerSecond) => {
    expect(only(device)).toMatchObject([{ megatransfersPerSecond }])
  })

  test('are nobody’s in a virtual machine, however real they look', () => {
    expect(parseMemoryModules(table([{}], { isVirtual: true }))).toEqual([])
  })

  test('end with the table, whatever stands after its end', () => {
    const found = parseMemoryModules(Buffer.concat([memoryDevice(), structure(127, 4), memoryDevice()]))
    expect(found).toHaveLength(1)
  })

  test('of a table that is cut off are those before the cut', () => {
    const whole = table([{}, {}])
    const counts = Array.from(
      { length: whole.length },
      (_, end) => parseMemoryModules(whole.subarray(0, end)).length,
    )
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(new Set(counts)).toEqual(new Set([0, 1, 2]))
  })

  test('of a table with a structure of impossible length are those before it', () => {
    for (const length of [0, 3, 255]) {
      const broken = memoryDevice()
      broken[1] = length
      expect(parseMemoryModules(Buffer.concat([bios(), memoryDevice(), broken]))).toHaveLength(1)
    }
  })

  test('are found, or not, in any bytes at all, and each has a size', () => {
    const bytes = fc.uint8Array({ maxLength: 2000 })
    fc.assert(
      fc.property(bytes, fc.nat(1000), (noise, at) => {
        const real = table([{}, {}])
        // Noise over a real table goes further into it than noise alone.
        real.set(noise.subarray(0, Math.max(0, real.length - at)), Math.min(at, real.length))
        for (const content of [Buffer.from(noise), real]) {
          for (const module of parseMemoryModules(content)) expect(module.bytes).toBeGreaterThan(0)
        }
      }),
    )
  })

  test('come to an end in tables of thousands of structures, and of none', () => {
    const long = Buffer.concat(Array.from({ length: 20_000 }, () => structure(17, 4)))
    expect(parseMemoryModules(long)).toEqual([])
    expect(parseMemoryModules(Buffer.alloc(1_000_000, 1))).toEqual([])
  })
})
