import { expect, test } from 'vitest'
import {
  emiControl,
  emiRange,
  parseEmiMeasurement,
  parseEmiMetadata,
  parseEmiMetadataSize,
  parseEmiVersion,
} from '../../../src/probes/windows/emi-metadata.ts'
import { metadataV1, metadataV2, u16, u32, u64 } from '../../fixtures/fake-emi.ts'

const intel = ['RAPL_Package0_PKG', 'RAPL_Package0_DRAM', 'RAPL_Package0_PP0', 'RAPL_Package0_PP1']
const named = (names: readonly string[]): { name: string }[] => names.map((name) => ({ name }))

test('control codes are those of the header: CTL_CODE(0x22, function, METHOD_BUFFERED, FILE_READ_ACCESS)', () => {
  const code = (number: number): number => (0x22 << 16) | (1 << 14) | (number << 2) | 0
  expect(Object.values(emiControl)).toEqual([0, 1, 2, 3].map(code))
})

test('version and size are little-endian', () => {
  expect(parseEmiVersion(u16(2))).toBe(2)
  expect(parseEmiMetadataSize(u32(0x01_02_03))).toBe(0x01_02_03)
})

test('version 2 names every channel, whatever length the driver pads the names to', () => {
  for (const bytes of [36, 38, 100, 200]) {
    expect(parseEmiMetadata(2, metadataV2(named(intel), 0, bytes))).toEqual(intel)
  }
})

test('names that are padded with spaces are those names', () => {
  expect(parseEmiMetadata(2, metadataV2(named(['RAPL_Package0_PKG   '])))).toEqual(['RAPL_Package0_PKG'])
})

test('version 1 names the one thing that it meters', () => {
  expect(parseEmiMetadata(1, metadataV1('CPU'))).toEqual(['CPU'])
})

test('a buffer inside another one is read from its own beginning', () => {
  const inside = Buffer.concat([Buffer.alloc(3, 0xff), metadataV2(named(intel))]).subarray(3)
  expect(parseEmiMetadata(2, inside)).toEqual(intel)
})

test('a buffer that is cut off anywhere is an error, never a shorter list', () => {
  const whole = metadataV2(named(intel))
  for (let length = 0; length < whole.length; length += 1) {
    expect(() => parseEmiMetadata(2, whole.subarray(0, length))).toThrow(RangeError)
  }
})

test('another unit than picowatt-hours is an error: nobody knows what it means', () => {
  expect(() => parseEmiMetadata(2, metadataV2(named(intel), 1))).toThrow('unit of number 1')
})

test('energy is picowatt-hours, in joules', () => {
  const bytes = Buffer.concat([u64(10n ** 12n), u64(7n), u64(2n ** 63n), u64(8n)])
  expect(parseEmiMeasurement(bytes, 2)).toEqual([
    { energy: 3600, time: 7n },
    { energy: emiRange / 2, time: 8n },
  ])
})

test('fewer measurements than channels are an error', () => {
  expect(() => parseEmiMeasurement(Buffer.concat([u64(1n), u64(1n)]), 2)).toThrow(RangeError)
  expect(() => parseEmiMeasurement(Buffer.alloc(15), 1)).toThrow(RangeError)
})
