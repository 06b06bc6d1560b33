import { describe, expect, it } from 'vitest'
import { readChassis } from '../../../src/probes/linux/chassis.ts'
import { fakeSysfs } from '../../fixtures/fake-sysfs.ts'

describe('the kind of machine', () => {
  it.each([
    ['10\n', 'laptop'],
    ['9', 'laptop'],
    ['31\n', 'laptop'],
    ['3\n', 'desktop'],
    ['35\n', 'desktop'],
    ['23\n', 'server'],
    ['17\n', 'server'],
  ] as const)('is told by the type of its case: %j is a %s', (text, kind) => {
    expect(readChassis(fakeSysfs({ 'class/dmi/id/chassis_type': text }).path)).toBe(kind)
  })

  it.each(['1\n', '2\n', '', 'laptop', '-3', '99999\n', '\0\0'])(
    'is unknown where the type says nothing: %j',
    (text) => {
      expect(readChassis(fakeSysfs({ 'class/dmi/id/chassis_type': text }).path)).toBeUndefined()
    },
  )

  it('is unknown where there is no DMI', () => {
    expect(readChassis(fakeSysfs({}).path)).toBeUndefined()
  })
})
