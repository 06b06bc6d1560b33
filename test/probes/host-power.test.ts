import { describe, expect, test } from 'vitest'
import { createHostPowerProbe } from '../../src/probes/host-power.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { fakeMonitor, timed, type FakeMonitorOptions } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs } from '../fixtures/fake-sysfs.ts'
import { acpiMeter } from '../fixtures/monitors.ts'

function openHost(...monitors: readonly FakeMonitorOptions[]) {
  const sysfs = fakeSysfs()
  const made = monitors.map((monitor) => fakeMonitor(sysfs, monitor))
  return { monitor: made[0], ...timed(createHostPowerProbe({ sysfsPath: sysfs.path })) }
}

itIsAProbe('host-power by ACPI', () => ({ ...openHost(acpiMeter()), work: () => undefined }))

describe('meters of the whole machine', () => {
  test('an ACPI meter is of the host and added to nothing', () => {
    const { read } = openHost(acpiMeter())
    read()
    expect(expectReading(read(2), 'host-power_meter-1')).toMatchObject({
      component: 'host',
      kind: 'other',
      method: 'integrated',
      energy: 500,
    })
  })

  test('of an IBM POWER server it is the system, and none of its parts', () => {
    const { read } = openHost({
      name: 'ibmpowernv',
      device: 'devices/platform/opal-sensor',
      files: {
        power1_label: 'System\n',
        power1_input: '400000000\n',
        power2_label: 'Chip 0\n',
        power2_input: '90000000\n',
      },
    })
    expect(read().readings.map(({ domain }) => domain)).toEqual(['host-ibmpowernv-1'])
  })

  test('a power supply that tells its output is a meter of the machine', () => {
    const { read } = openHost({
      name: 'corsairpsu',
      device: 'devices/pci0000:00/usb1/0003:1B1C:1C07.0001',
      files: { power1_label: 'power total\n', power1_input: '120000000\n', power2_label: 'power +12v\n' },
    })
    expect(read().readings).toHaveLength(1)
  })

  test('the meter of a battery, and those of parts, are not of the whole machine', () => {
    const battery = acpiMeter(0)
    expect(() =>
      openHost(
        { ...battery, files: { ...battery.files, power1_is_battery: '1\n' } },
        acpiMeter(1, 'CPU Power Socket 0'),
      ),
    ).toThrow(/no meter of the whole machine/)
  })

  test('within a second the meter is not asked again, and its last figure holds', () => {
    const { monitor, read } = openHost(acpiMeter())
    read()
    monitor?.set('power1_average', 900_000_000)
    expect(expectReading(read(0.5), 'host-power_meter-1').energy).toBe(125)
    // From 250 W at half a second to 900 W at one and a half.
    expect(expectReading(read(1), 'host-power_meter-1').energy).toBe(125 + 575)
  })

  test.each(['0', '99999000000', '-1'])('a whole machine does not draw %s µW', (text) => {
    const { monitor, read } = openHost(acpiMeter())
    read()
    monitor?.set('power1_average', text)
    let last = read()
    for (let time = 0; time < 12; time += 1) last = read()
    expect(last.readings).toEqual([])
    expect(last.problems).toMatchObject([{ code: 'ERR_PROBE_READ', gap: 1 }])
  })
})
