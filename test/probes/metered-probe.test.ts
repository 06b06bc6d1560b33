import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createAmdGpuProbe } from '../../src/probes/amd-gpu.ts'
import { createBatteryProbe } from '../../src/probes/battery.ts'
import { createBoardRailsProbe } from '../../src/probes/board-rails.ts'
import { createHostPowerProbe } from '../../src/probes/host-power.ts'
import { createIntelGpuProbe } from '../../src/probes/intel-gpu.ts'
import { expectReading } from '../contract/probe.ts'
import { fakeMonitor, timed } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree } from '../fixtures/fake-sysfs.ts'
import { acpiMeter, agxOrin, amdCard, intelXe } from '../fixtures/monitors.ts'

const openFiles = (): number => readdirSync('/proc/self/fd').length

describe.runIf(process.platform === 'linux')('the files of a probe', () => {
  const battery = {
    'class/power_supply/BAT0/type': 'Battery\n',
    'class/power_supply/BAT0/status': 'Discharging\n',
    'class/power_supply/BAT0/current_now': '1000000\n',
    'class/power_supply/BAT0/voltage_now': '12000000\n',
  }
  function machine(): FakeTree {
    const sysfs = fakeSysfs(battery)
    const monitors = [...agxOrin, amdCard('0000:05:00.0'), intelXe, acpiMeter(9)]
    for (const [number, monitor] of monitors.entries()) fakeMonitor(sysfs, { ...monitor, number })
    return sysfs
  }
  const factories = {
    createAmdGpuProbe,
    createBatteryProbe,
    createBoardRailsProbe,
    createHostPowerProbe,
    createIntelGpuProbe,
  }

  test.each(Object.entries(factories))('%s closes all that it opened', (_, create) => {
    const { path } = machine()
    const before = openFiles()
    const { probe, read } = timed(create({ sysfsPath: path }))
    read()
    read(6)
    expect(openFiles()).toBeGreaterThan(before)
    probe.close?.()
    expect(openFiles()).toBe(before)
  })

  test.each([
    ['power1_average', amdCard(), createAmdGpuProbe],
    ['energy1_input', intelXe, createIntelGpuProbe],
    ['power1_average', acpiMeter(), createHostPowerProbe],
  ] as const)('where %s cannot be read, none stays open', (file, monitor, create) => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, monitor).breakFile(file)
    if (monitor === intelXe) sysfs.remove('class/hwmon/hwmon2/energy2_input')
    const before = openFiles()
    expect(() => create({ sysfsPath: sysfs.path })).toThrow(/cannot be read/)
    expect(openFiles()).toBe(before)
  })
})

describe('monitors of others', () => {
  test('names that are names of everything are none of a meter', () => {
    const sysfs = fakeSysfs()
    for (const [number, name] of ['constructor', '__proto__', 'toString'].entries()) {
      fakeMonitor(sysfs, { number, name, device: `devices/platform/odd.${number}`, files: {} })
    }
    expect(() => createHostPowerProbe({ sysfsPath: sysfs.path })).toThrow(/no meter of the whole machine/)
  })

  test('one that comes or goes does not disturb a meter', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdCard())
    const { read } = timed(createAmdGpuProbe({ sysfsPath: sysfs.path }))
    read()
    const disk = { number: 1, name: 'nvme', device: 'devices/nvme', files: {} }
    const other = fakeMonitor(sysfs, disk)
    expect(expectReading(read(6), 'amd-gpu-0').energy).toBe(600)
    other.vanish()
    const { readings, problems } = read(6)
    expect(readings[0]?.energy).toBe(1200)
    expect(problems).toEqual([])
  })
})

describe('a counter whose file is exchanged', () => {
  test('it goes on where it is the same one, and a rise that cannot be is not counted', () => {
    const sysfs = fakeSysfs()
    const card = fakeMonitor(sysfs, intelXe)
    const { read } = timed(createIntelGpuProbe({ sysfsPath: sysfs.path }))
    read()
    read()
    sysfs.replace(`${card.folder}/energy1_input`, '15000000\n')
    expect(expectReading(read(6), 'intel-gpu-0').energy).toBe(10)
    sysfs.replace(`${card.folder}/energy1_input`, '9000000000000\n')
    const jumped = read(6)
    expect(expectReading(jumped, 'intel-gpu-0').energy).toBe(10)
    expect(jumped.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', subject: 'intel-gpu-0' }])
  })

  test('after a sleep of the machine, one that started again is a gap', () => {
    const sysfs = fakeSysfs()
    const card = fakeMonitor(sysfs, intelXe)
    const { read } = timed(createIntelGpuProbe({ sysfsPath: sysfs.path }))
    read()
    read()
    card.set('energy1_input', 100)
    const woken = read(1, true)
    expect(woken.problems.map(({ code, subject }) => [code, subject])).toEqual([
      ['ERR_COUNTER_GAP', 'intel-gpu-0'],
    ])
    expect(expectReading(woken, 'intel-gpu-0').energy).toBe(0)
  })
})
