import { expect, test } from 'vitest'
import { placeOfChannel } from '../../../src/probes/windows/emi-channel.ts'

test.each([
  ['RAPL_Package0_PKG', { domain: 'package-0', kind: 'package', component: 'cpu' }],
  ['rapl_package1_pkg', { domain: 'package-1', kind: 'package', component: 'cpu' }],
  ['RAPL_Package1_PP0', { domain: 'core-1', kind: 'core', component: 'cpu', parent: 'package-1' }],
  ['RAPL_Package0_PP1', { domain: 'uncore-0', kind: 'uncore', component: 'cpu', parent: 'package-0' }],
  ['RAPL_Package0_DRAM', { domain: 'dram-0', kind: 'dram', component: 'ram' }],
  ['RAPL_Package0_PSYS', { domain: 'psys-0', kind: 'psys', component: 'host' }],
])('%s is called as on Linux', (name, place) => {
  expect(placeOfChannel(name)).toEqual(place)
})

test.each(['RAPL_Package0_Core3_CORE', 'CPU_CLUSTER_0', 'GPU', '_Total', '', 'xRAPL_Package0_PKG'])(
  '"%s" is not read: nothing tells what holds it',
  (name) => {
    expect(placeOfChannel(name)).toBeUndefined()
  },
)
