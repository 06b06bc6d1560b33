import { expect, test } from 'vitest'
import { findGpus } from '../../../src/probes/linux/gpu-presence.ts'
import { fakeSysfs, type Tree } from '../../fixtures/fake-sysfs.ts'

const nvidia = '0x10de'
const amd = '0x1002'
const intel = '0x8086'

/** A device of the PCI bus. */
const device = (slot: string, pciClass: string, vendor: string): Tree => ({
  [`bus/pci/devices/0000:${slot}/class`]: `${pciClass}\n`,
  [`bus/pci/devices/0000:${slot}/vendor`]: `${vendor}\n`,
})

const gpus = (files: Tree): readonly string[] | undefined => findGpus(fakeSysfs(files).path)

test('graphics processors are found by class and vendor, each once', () => {
  expect(
    gpus({
      ...device('01:00.0', '0x030000', nvidia),
      ...device('02:00.0', '0x030200', nvidia),
      ...device('03:00.0', '0x030000', amd),
    }),
  ).toEqual(['NVIDIA', 'NVIDIA', 'AMD'])
})

// pci.ids: class 0380 are MI50 to MI250, class 1200 (processing accelerators) MI300 and later.
test.each(['0x038000', '0x120000'])(
  'accelerators of AMD that are no display, class %s, are found too',
  (pciClass) => {
    expect(gpus(device('05:00.0', pciClass, amd))).toEqual(['AMD'])
  },
)

test('the sound and USB functions of a graphics card are no graphics processors', () => {
  expect(
    gpus({ ...device('01:00.1', '0x040300', nvidia), ...device('01:00.2', '0x0c0330', nvidia) }),
  ).toEqual([])
})

test('graphics inside an Intel processor count with its package, a card of Intel by itself', () => {
  expect(gpus(device('00:02.0', '0x030000', intel))).toEqual([])
  expect(gpus(device('4d:00.0', '0x038000', intel))).toEqual(['Intel'])
})

test('screens of a virtual machine and of a server board are none', () => {
  expect(
    gpus({ ...device('00:01.0', '0x030000', '0x1234'), ...device('02:00.0', '0x030000', '0x1a03') }),
  ).toEqual([])
})

test('a card that Windows lends to its Linux may be anybody’s, the screen of its virtual machines is none', () => {
  expect(gpus(device('05:00.0', '0x030200', '0x1414'))).toEqual(['unknown'])
  expect(gpus(device('00:08.0', '0x030000', '0x1414'))).toEqual([])
})

test('a device that leaves while it is looked at is not there', () => {
  const sysfs = fakeSysfs(device('01:00.0', '0x030000', nvidia))
  sysfs.remove('bus/pci/devices/0000:01:00.0/vendor')
  expect(findGpus(sysfs.path)).toEqual([])
})

test('a bus without devices has none, and where there is no bus nobody can tell', () => {
  expect(gpus({ 'bus/pci/devices/.keep': '' })).toEqual([])
  expect(gpus({})).toBeUndefined()
})
