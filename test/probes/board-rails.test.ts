import { describe, expect, test } from 'vitest'
import type { ProbeResult } from '../../src/core/probe.ts'
import { createBoardRailsProbe } from '../../src/probes/board-rails.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { fakeMonitor, timed, type FakeMonitorOptions } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree } from '../fixtures/fake-sysfs.ts'
import { acpiMeter, agxOrin, altraSmpro, amdCard, ina3221, orinNx, xgene } from '../fixtures/monitors.ts'

const open = (sysfs: FakeTree) => timed(createBoardRailsProbe({ sysfsPath: sysfs.path }))

function openBoard(...monitors: readonly FakeMonitorOptions[]): ReturnType<typeof open> {
  const sysfs = fakeSysfs()
  for (const monitor of monitors) fakeMonitor(sysfs, monitor)
  return open(sysfs)
}

/** Energy of one second that counts towards a component. */
function energyOf({ readings }: ProbeResult, component: string): number {
  return readings
    .filter((reading) => reading.component === component && reading.parent === undefined)
    .reduce((sum, { energy }) => sum + energy, 0)
}

itIsAProbe('board-rails of a Jetson Orin NX', () => ({ ...openBoard(orinNx), work: () => undefined }))
itIsAProbe('board-rails of a Jetson AGX Orin', () => ({ ...openBoard(...agxOrin), work: () => undefined }))
itIsAProbe('board-rails of NVIDIA Grace', () => ({
  ...openBoard(acpiMeter(0, 'Grace Power Socket 0'), acpiMeter(1, 'CPU Power Socket 0')),
  work: () => undefined,
}))

describe('rails of Jetson modules', () => {
  test('the input of a module is the host, and the rails in it are its parts', () => {
    const { probe, read } = openBoard(orinNx)
    read()
    const result = read(1)
    // 5 V · 2 A; 5 V · (0.6 + 0.4) A.
    expect(energyOf(result, 'host')).toBe(10)
    expect(energyOf(result, 'cpu')).toBe(5)
    expect(result.readings.every(({ method }) => method === 'integrated')).toBe(true)
    expect(probe.components).toEqual(['host', 'cpu', 'gpu'])
    expect(probe.includedIn).toEqual({ gpu: 'cpu' })
  })

  test('a module with several chips adds up, and the 5 V rail with the memory in it is not counted', () => {
    const { probe, read } = openBoard(...agxOrin)
    read()
    const result = read(1)
    expect(['gpu', 'cpu', 'ram', 'host'].map((component) => energyOf(result, component))).toEqual([
      4, 2, 1, 0,
    ])
    expect(probe.includedIn).toEqual({})
    expect(probe.uncounted.map(({ rail }) => rail.split(' ')[0])).toEqual(['VIN_SYS_5V0', 'NC'])
  })

  test('the older kernel of NVIDIA tells milliwatts, below the driver ina3221x', () => {
    const chip = 'bus/i2c/drivers/ina3221x/6-0040'
    const sysfs = fakeSysfs({
      [`${chip}/iio:device0/rail_name_0`]: 'POM_5V_IN\n',
      [`${chip}/iio:device0/in_power0_input`]: '2875\n',
      [`${chip}/iio:device0/rail_name_1`]: 'POM_5V_GPU\n',
      [`${chip}/iio:device0/in_power1_input`]: '125\n',
      [`${chip}/iio:device0/rail_name_2`]: 'POM_5V_CPU\n',
      [`${chip}/iio:device0/in_power2_input`]: '500\n',
    })
    sysfs.link(`${chip}/iio:device0`, `${chip}/iio_device`)
    const { read } = open(sysfs)
    read()
    const result = read(1)
    expect(['host', 'gpu', 'cpu'].map((component) => energyOf(result, component))).toEqual([
      2.875, 0.125, 0.5,
    ])
  })

  test('a rail that is off and shows a little less than nothing draws nothing', () => {
    const { read } = openBoard(
      ina3221('40', 1, [
        ['VDD_GPU', 800, -490],
        ['VDD_CPU_SOC_MSS', 5000, 1200],
      ]),
    )
    read()
    const result = read(1)
    expect(expectReading(result, 'VDD_GPU').energy).toBe(0)
    expect(result.problems).toEqual([])
  })
})

describe('sensors of servers', () => {
  test('those of Altra are the processor and its memory', () => {
    const { read } = openBoard(altraSmpro)
    read()
    const result = read(1)
    expect([energyOf(result, 'cpu'), energyOf(result, 'ram')]).toEqual([85, 15])
  })

  test('those of two X-Gene sockets add up under names of their own', () => {
    const { read } = openBoard(xgene, { ...xgene, number: 1, device: 'devices/platform/APMC0D29:01' })
    read()
    const result = read(1)
    expect(energyOf(result, 'cpu')).toBe(80)
    expect(result.readings.map(({ domain }) => domain)).toEqual([
      'CPU power',
      'IO power',
      'CPU power 2',
      'IO power 2',
    ])
  })

  test('a socket of Grace holds its memory, and its cores are a part of it', () => {
    const { probe, read } = openBoard(
      acpiMeter(0, 'Module Power Socket 0'),
      acpiMeter(1, 'Grace Power Socket 0'),
      acpiMeter(2, 'CPU Power Socket 0'),
      acpiMeter(3, 'SysIO Power Socket 0'),
    )
    read()
    const result = read(1)
    expect(energyOf(result, 'cpu')).toBe(250)
    expect(expectReading(result, 'CPU Power Socket 0')).toMatchObject({
      parent: 'Grace Power Socket 0',
      kind: 'core',
    })
    expect(probe.includedIn).toEqual({ ram: 'cpu' })
    expect(probe.uncounted).toMatchObject([{ rail: expect.stringContaining('Module Power Socket 0') }])
  })
})

describe('rails that are not known', () => {
  const unknown = {
    name: 'ina226',
    device: 'devices/platform/i2c-1/1-0045',
    files: { power1_input: '5000000\n', in1_input: '5000\n', curr1_input: '1000\n' },
  }

  test('they count towards nothing, and are listed with the reason', () => {
    const { probe, read } = openBoard({ ...unknown, number: 4 }, orinNx)
    expect(read().readings.map(({ domain }) => domain)).toEqual(['VDD_IN', 'VDD_CPU_GPU_CV', 'VDD_SOC'])
    expect(probe.uncounted).toMatchObject([
      { rail: expect.stringMatching(/^ina226 at .*1-0045, power1$/), reason: 'what it feeds is not known' },
    ])
  })

  test('where there are no others, the refusal lists them', () => {
    expect(() => openBoard(unknown)).toThrow(/no power rail that is known \(ina226 .*what it feeds/)
  })

  test('graphics cards and meters of the whole machine are no rails', () => {
    expect(() => openBoard(amdCard(), acpiMeter(5))).toThrow(/^no power rail in/)
  })
})
