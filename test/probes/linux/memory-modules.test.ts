import { describe, expect, test } from 'vitest'
import { describeModules, type MemoryModule } from '../../../src/probes/linux/memory-module.ts'
import { readMemoryModules } from '../../../src/probes/linux/memory-modules.ts'
import { fakeSysfs, type FakeTree, type Tree } from '../../fixtures/fake-sysfs.ts'
import { table, tableFile } from '../../fixtures/smbios.ts'

const gibibyte = 2 ** 30
const usable = 62.6 * gibibyte

const edac = (mebibytes: number): Tree => ({
  'devices/system/edac/mc/mc0/dimm0/size': `${mebibytes}\n`,
  'devices/system/edac/mc/mc0/dimm0/dimm_mem_type': 'Unbuffered-DDR5\n',
})

const told = (sysfs: FakeTree): string => describeModules(readMemoryModules(sysfs.path, usable) ?? [])

describe('memory modules', () => {
  test('are what the firmware says', () => {
    const sysfs = fakeSysfs({ [tableFile]: table([{}, {}, {}, {}]), ...edac(65_536) })
    expect(told(sysfs)).toBe('4 modules of 16 GiB DDR4 at 3200 MT/s')
  })

  test('are what error detection says where the firmware’s table may not be read', () => {
    const sysfs = fakeSysfs({ [tableFile]: table([{}, {}, {}, {}]), ...edac(65_536) })
    sysfs.block(tableFile)
    expect(told(sysfs)).toBe('1 module of 64 GiB DDR5')
  })

  test.each([
    ['less than the system can use', [{}, {}, {}]],
    [
      'more than four times of it',
      Array.from({ length: 16 }, () => ({ size: 0x7fff, extendedSize: 16_400 })),
    ],
  ])('that are %s are not believed', (_, devices) => {
    const sysfs = fakeSysfs({ [tableFile]: table(devices) })
    expect(readMemoryModules(sysfs.path, usable)).toBeUndefined()
    expect(told(fakeSysfs({ [tableFile]: table(devices), ...edac(65_536) }))).toBe('1 module of 64 GiB DDR5')
  })

  test('are unknown where nobody tells', () => {
    expect(readMemoryModules(fakeSysfs().path, usable)).toBeUndefined()
  })
})

describe('memory modules in words', () => {
  const module = (gibibytes: number, kind?: string, megatransfersPerSecond?: number): MemoryModule => ({
    part: 'module',
    bytes: gibibytes * gibibyte,
    kind,
    megatransfersPerSecond,
  })

  test('are counted where they are alike, and told apart where they are not', () => {
    expect(describeModules([module(8, 'LPDDR5', 6400)])).toBe('1 module of 8 GiB LPDDR5 at 6400 MT/s')
    expect(describeModules([module(16, 'DDR4', 2666), module(8, 'DDR4'), module(16, 'DDR4', 2666)])).toBe(
      '2 modules of 16 GiB DDR4 at 2666 MT/s, 1 module of 8 GiB DDR4',
    )
  })

  test('are a sum where there are many kinds', () => {
    expect(describeModules([1, 2, 4, 8, 16, 0.5].map((size) => module(size)))).toBe('31.5 GiB in 6 modules')
  })

  test('are ranks where no more is known', () => {
    const rank: MemoryModule = { ...module(16, 'DDR4'), part: 'rank' }
    expect(describeModules([rank, rank])).toBe('2 ranks of 16 GiB DDR4')
  })
})
