import { describe, expect, test } from 'vitest'
import { findHwmonDevices, listHwmon } from '../../../src/probes/linux/hwmon.ts'
import { fakeMonitor } from '../../fixtures/fake-hwmon.ts'
import { fakeSysfs } from '../../fixtures/fake-sysfs.ts'
import { acpiMeter, amdCard, amdEnergy } from '../../fixtures/monitors.ts'

describe('hardware monitors', () => {
  test('a monitor has its name, its channels by number, and their labels', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdEnergy)
    const [monitor] = findHwmonDevices(sysfs.path)
    expect(monitor?.name).toBe('amd_energy')
    expect(monitor?.channels.map(({ id, label }) => [id, label])).toEqual([
      ['energy1', 'Ecore000'],
      ['energy2', 'Ecore001'],
      ['energy3', 'Ecore002'],
      ['energy4', 'Ecore003'],
      ['energy5', 'Esocket0'],
      ['energy6', 'Esocket1'],
    ])
  })

  test('it is the same one when the kernel gives it another number', () => {
    const sysfs = fakeSysfs()
    const card = fakeMonitor(sysfs, amdCard())
    const [before] = findHwmonDevices(sysfs.path)
    card.vanish()
    card.appear(7)
    const [after] = findHwmonDevices(sysfs.path)
    expect(after?.identity).toBe(before?.identity)
    expect(after?.folder).not.toBe(before?.folder)
    expect(listHwmon(sysfs.path)).toEqual(['hwmon7'])
  })

  test('two cards of one kind are two', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdCard('0000:03:00.0'))
    fakeMonitor(sysfs, { ...amdCard('0000:83:00.0'), number: 10 })
    const found = findHwmonDevices(sysfs.path)
    expect(new Set(found.map(({ identity }) => identity)).size).toBe(2)
    expect(listHwmon(sysfs.path)).toEqual(['hwmon3', 'hwmon10'])
  })

  test('drivers of the old interface keep their files with the device', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, acpiMeter())
    const [monitor] = findHwmonDevices(sysfs.path)
    expect(monitor?.name).toBe('power_meter')
    expect(monitor?.channels[0]?.attributes.has('average')).toBe(true)
  })

  test('where there are none, and where a folder has no name, nothing is found', () => {
    expect(findHwmonDevices(fakeSysfs().path)).toEqual([])
    expect(findHwmonDevices('/nowhere')).toEqual([])
    expect(findHwmonDevices(fakeSysfs({ 'class/hwmon/hwmon0/power1_input': '1\n' }).path)).toEqual([])
  })
})
