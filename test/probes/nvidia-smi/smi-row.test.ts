import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSmiRow } from '../../../src/probes/nvidia-smi/smi-row.ts'
import { createLineReader } from '../../../src/probes/nvidia-smi/smi-stream.ts'
import { documented } from '../../fixtures/nvml/smi-output.ts'

describe('a row of nvidia-smi', () => {
  test('is a card with its power, memory and use', () => {
    expect(parseSmiRow(documented.a100)).toEqual({
      index: 0,
      uuid: 'GPU-5a1b2c3d-8f40-4d3e-9c1a-0123456789ab',
      name: 'NVIDIA A100-SXM4-40GB',
      power: 53.29,
      powerLimit: 400,
      utilisation: 0.37,
      memoryUsedBytes: 1234 * 2 ** 20,
      memoryTotalBytes: 40960 * 2 ** 20,
      pciBusId: '00000000:07:00.0',
      driver: '550.54.15',
    })
  })

  test('with units is the same as without', () => {
    expect(parseSmiRow(documented.withUnits)).toEqual(parseSmiRow(documented.a100))
  })

  test.each([
    '[N/A]',
    '[Not Supported]',
    '[Unknown Error]',
    '[GPU is lost]',
    '[Insufficient Permissions]',
    'N/A',
    '',
  ])('leaves out what the card does not tell: %s', (word) => {
    const row = parseSmiRow(
      documented.a100.replace('53.29', word).replace('400.00', word).replace(' 37,', ` ${word},`),
    )
    expect(row).toMatchObject({ index: 0, power: undefined, powerLimit: undefined, utilisation: undefined })
    expect(row?.memoryTotalBytes).toBe(40960 * 2 ** 20)
  })

  test('of a card without meter has a name, and no power', () => {
    expect(parseSmiRow(documented.laptop)).toMatchObject({
      name: 'NVIDIA GeForce MX150',
      power: undefined,
      utilisation: 0,
    })
  })

  test.each([
    documented.header,
    documented.headerWithUnits,
    'No devices were found',
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
    'Failed to initialize NVML: Driver/library version mismatch',
    '0, GPU-5a1b2c3d, NVIDIA',
    '',
  ])('is not "%s"', (line) => {
    expect(parseSmiRow(line)).toBeUndefined()
  })

  test('is never made of anything that throws, or of a number that is none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.double().map(String)), { minLength: 10, maxLength: 10 }),
        (cells) => {
          const row = parseSmiRow(['0', 'GPU-1', ...cells.slice(2)].join(','))
          for (const value of Object.values(row ?? {})) {
            if (typeof value === 'number') expect(Number.isFinite(value) && value >= 0).toBe(true)
          }
        },
      ),
    )
  })
})

describe('what nvidia-smi writes', () => {
  test('is the same lines however it is cut into pieces', () => {
    const text = `${documented.a100}\r\n${documented.laptop}\n${documented.header}\n`
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
        const lines: string[] = []
        const read = createLineReader((line) => lines.push(line))
        const ends = [0, ...cuts.toSorted((a, b) => a - b), text.length]
        for (let piece = 1; piece < ends.length; piece += 1) read(text.slice(ends[piece - 1], ends[piece]))
        expect(lines).toEqual([documented.a100, documented.laptop, documented.header])
      }),
    )
  })

  test('without an end of line takes no memory', () => {
    const lines: string[] = []
    const read = createLineReader((line) => lines.push(line))
    for (let piece = 0; piece < 1000; piece += 1) read('x'.repeat(1000))
    read('\nlast\n')
    expect(lines.at(-1)).toBe('last')
    expect(lines[0]?.length).toBeLessThan(5000)
  })
})
