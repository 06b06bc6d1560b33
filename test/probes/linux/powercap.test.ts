import { describe, expect, test } from 'vitest'
import { findPowercapDomains, type PowercapZone } from '../../../src/probes/linux/powercap.ts'
import { fakeSysfs, type Tree } from '../../fixtures/fake-sysfs.ts'
import {
  amdZenDesktop,
  clientRange,
  intelClientWithPsys,
  twoSocketXeon,
  virtualMachine,
} from '../../fixtures/machines.ts'

/** The best way to each domain. */
const zones = (files: Tree): readonly PowercapZone[] =>
  findPowercapDomains(fakeSysfs(files).path).map(([best]) => best)

describe('zones of whole machines', () => {
  test.each([
    ['an AMD desktop', amdZenDesktop.sysfs, ['core-0', 'package-0']],
    ['an Intel laptop', intelClientWithPsys.sysfs, ['core-0', 'package-0', 'psys', 'uncore-0']],
    ['a server with two sockets', twoSocketXeon.sysfs, ['dram-0', 'dram-1', 'package-0', 'package-1']],
    ['a virtual machine', virtualMachine.sysfs, []],
  ])('of %s have unique domains', (_, sysfs, domains) => {
    expect(zones(sysfs).map(({ domain }) => domain)).toEqual(domains)
  })
})

test('a zone tells its kind, what it lies in, and where its counter starts again', () => {
  const found = zones(intelClientWithPsys.sysfs)
  expect(found.find(({ domain }) => domain === 'core-0')).toMatchObject({
    id: 'intel-rapl:0:0',
    kind: 'core',
    inside: 'package-0',
    range: clientRange / 1e6,
  })
  expect(found.find(({ domain }) => domain === 'package-0')).toMatchObject({
    id: 'intel-rapl-mmio:0',
    kind: 'package',
    inside: undefined,
  })
})

test('parts of dies are told apart', () => {
  const found = zones({
    'class/powercap/intel-rapl:0/name': 'package-0-die-0\n',
    'class/powercap/intel-rapl:0:0/name': 'dram\n',
    'class/powercap/intel-rapl:1/name': 'package-0-die-1\n',
    'class/powercap/intel-rapl:1:0/name': 'dram\n',
  })
  expect(found.map(({ domain }) => domain)).toEqual([
    'dram-0-die-0',
    'dram-0-die-1',
    'package-0-die-0',
    'package-0-die-1',
  ])
})

test('ten sockets are in the order of their numbers', () => {
  const files = Object.fromEntries(
    Array.from({ length: 11 }, (_, index) => [
      `class/powercap/intel-rapl:${index}/name`,
      `package-${index}\n`,
    ]),
  )
  expect(zones(files).map(({ domain }) => domain)).toEqual(
    Array.from({ length: 11 }, (_, index) => `package-${index}`),
  )
})

test.each(['', 'unlimited\n', '-1\n'])('a range that says %j is unknown', (text) => {
  const [zone] = zones({
    'class/powercap/intel-rapl:0/name': 'package-0\n',
    'class/powercap/intel-rapl:0/max_energy_range_uj': text,
  })
  expect(zone?.range).toBeUndefined()
})

test('a zone of a name that nobody knows is shown under it', () => {
  const [zone] = zones({ 'class/powercap/intel-rapl:0/name': 'fabric\n' })
  expect(zone).toMatchObject({ domain: 'fabric', kind: 'other' })
})

test('folders of other control types are left alone', () => {
  expect(
    zones({ 'class/powercap/dtpm:0/name': 'package\n', 'class/powercap/intel-rapl/enabled': '1\n' }),
  ).toEqual([])
})
