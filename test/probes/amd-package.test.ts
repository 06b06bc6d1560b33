import { describe, expect, test } from 'vitest'
import { createAmdPackageProbe } from '../../src/probes/amd-package.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { fakeMonitor, timed } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree } from '../fixtures/fake-sysfs.ts'
import { amdApu, amdCard } from '../fixtures/monitors.ts'

const open = (sysfs: FakeTree) => timed(createAmdPackageProbe({ sysfsPath: sysfs.path }))

/** Kernel documentation: hwmon/fam15h_power.rst. */
const fam15h = {
  number: 0,
  name: 'fam15h_power',
  device: 'devices/pci0000:00/0000:00:18.4',
  files: { power1_input: '45000000\n', power1_crit: '95000000\n' },
}

itIsAProbe('amd-package of an APU', () => {
  const sysfs = fakeSysfs()
  fakeMonitor(sysfs, amdApu)
  return { ...open(sysfs), work: () => undefined }
})

describe('power of AMD processors without an energy counter', () => {
  test('that of an APU holds the processor and its graphics', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdApu)
    const { probe, read } = open(sysfs)
    read()
    expect(expectReading(read(2), 'package-0')).toMatchObject({
      component: 'cpu',
      kind: 'package',
      method: 'integrated',
      energy: 30,
    })
    expect(probe.graphics).toEqual(['0000:c4:00.0'])
  })

  test('an older processor tells it by a monitor of its own', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, fam15h)
    const { read } = open(sysfs)
    read()
    expect(expectReading(read(), 'package-0').energy).toBe(45)
  })

  test('a processor that tells it twice counts once', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, fam15h)
    fakeMonitor(sysfs, amdApu)
    expect(open(sysfs).read().readings).toHaveLength(1)
  })

  test('a graphics card is no processor', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdCard())
    expect(() => open(sysfs)).toThrow(/no power of an AMD processor/)
  })
})
