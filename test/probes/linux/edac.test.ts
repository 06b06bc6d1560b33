import { expect, test } from 'vitest'
import { readEdacModules } from '../../../src/probes/linux/edac.ts'
import { fakeSysfs, type Tree } from '../../fixtures/fake-sysfs.ts'

const controllers = 'devices/system/edac/mc'

const dimm = (folder: string, mebibytes: string, type: string): Tree => ({
  [`${controllers}/${folder}/size`]: `${mebibytes}\n`,
  [`${controllers}/${folder}/dimm_mem_type`]: `${type}\n`,
  [`${controllers}/${folder}/dimm_location`]: 'channel 0 slot 0\n',
})

const read = (...trees: readonly Tree[]) =>
  readEdacModules(fakeSysfs(Object.assign({}, ...trees) as Tree).path)

test('modules are those of all memory controllers', () => {
  const found = read(
    {
      [`${controllers}/mc0/mc_name`]: 'Skylake Socket#0 IMC#0\n',
      [`${controllers}/power/control`]: 'auto\n',
    },
    dimm('mc0/dimm0', '32768', 'Registered-DDR4'),
    dimm('mc1/dimm12', '16384', 'Load-Reduced-DDR5-RAM'),
  )
  expect(found).toEqual([
    { part: 'module', bytes: 32 * 2 ** 30, kind: 'DDR4', megatransfersPerSecond: undefined },
    { part: 'module', bytes: 16 * 2 ** 30, kind: 'DDR5', megatransfersPerSecond: undefined },
  ])
})

test('a driver that knows only ranks tells of those', () => {
  expect(read(dimm('mc0/rank0', '8192', 'Unbuffered-DDR4'))).toMatchObject([{ part: 'rank', kind: 'DDR4' }])
})

test.each([
  ['Low-Power-DDR4-RAM', 'LPDDR4'],
  ['Low-Power-DDR3-RAM', 'LPDDR3'],
  ['FullyBuffered-DDR2', 'DDR2'],
  ['Registered-DDR', 'DDR'],
  ['Unknown', undefined],
])('what the kernel calls %s is %s', (type, kind) => {
  expect(read(dimm('mc0/dimm0', '4096', type))).toMatchObject([{ kind }])
})

test.each([
  ['persistent memory', '131072', 'Non-volatile-RAM'],
  ['memory of a graphics processor', '16384', 'High-bandwidth-memory-Gen2'],
  ['an empty socket', '0', 'Empty'],
  ['a size that is none', 'much', 'Registered-DDR4'],
])('%s does not count', (_, mebibytes, type) => {
  expect(read(dimm('mc0/dimm0', mebibytes, type))).toEqual([])
})

test('there are none without such a driver', () => {
  expect(read()).toEqual([])
})
