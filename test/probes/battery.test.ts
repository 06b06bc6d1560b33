import { describe, expect, test } from 'vitest'
import { createBatteryProbe } from '../../src/probes/battery.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { timed } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree, type Tree } from '../fixtures/fake-sysfs.ts'

const supply = 'class/power_supply'

/** A laptop's battery that tells its power (kernel documentation: ABI/testing/sysfs-class-power). */
const battery = (name = 'BAT0', more: Tree = {}): Tree =>
  Object.fromEntries(
    Object.entries({
      type: 'Battery\n',
      present: '1\n',
      status: 'Discharging\n',
      power_now: '10000000\n',
      energy_now: '40000000\n',
      ...more,
    }).map(([file, text]) => [`${supply}/${name}/${file}`, text]),
  )
const mains = (online: number): Tree => ({
  [`${supply}/AC/type`]: 'Mains\n',
  [`${supply}/AC/online`]: `${online}\n`,
})

const open = (sysfs: FakeTree) => timed(createBatteryProbe({ sysfsPath: sysfs.path }))
const energyOf = (result: ReturnType<ReturnType<typeof open>['read']>): number =>
  expectReading(result, 'battery').energy

itIsAProbe('battery', () => ({
  ...open(fakeSysfs({ ...battery(), ...mains(0) })),
  work: () => undefined,
}))

describe('a machine that runs on its battery', () => {
  test('what the battery gives is what the whole machine draws', () => {
    const { read } = open(fakeSysfs(battery()))
    read()
    expect(expectReading(read(3), 'battery')).toMatchObject({
      component: 'host',
      method: 'integrated',
      energy: 30,
    })
  })

  test('where it tells no power, that is current times voltage, whichever way the current is counted', () => {
    const sysfs = fakeSysfs({
      ...battery('BAT0', { current_now: '-1500000\n', voltage_now: '12000000\n' }),
    })
    sysfs.remove(`${supply}/BAT0/power_now`)
    const { read } = open(sysfs)
    read()
    expect(energyOf(read(1))).toBe(18)
  })

  test('several batteries add up, of which those count that are being discharged', () => {
    const sysfs = fakeSysfs({ ...battery(), ...battery('BAT1', { power_now: '4000000\n' }) })
    const { read } = open(sysfs)
    read()
    expect(energyOf(read(1))).toBe(14)
    sysfs.write(`${supply}/BAT1/status`, 'Not charging\n')
    expect(energyOf(read(2))).toBe(14 + 24)
    expect(energyOf(read(1))).toBe(14 + 24 + 10)
  })

  test('batteries of mice, and empty bays, are not the machine', () => {
    const sysfs = fakeSysfs({
      ...battery('hidpp_battery_0', { scope: 'Device\n' }),
      ...battery('BAT1', { present: '0\n' }),
    })
    expect(() => open(sysfs)).toThrow(/no battery/)
  })

  test('one that tells no power is no meter', () => {
    const sysfs = fakeSysfs(battery())
    sysfs.remove(`${supply}/BAT0/power_now`)
    expect(() => open(sysfs)).toThrow(/BAT0 does not tell its power/)
  })
})

describe('a machine that is plugged in', () => {
  test('there is no reading, and nothing to complain of', () => {
    const { read } = open(fakeSysfs({ ...battery('BAT0', { status: 'Charging\n' }), ...mains(1) }))
    read()
    expect(read()).toEqual({ readings: [], problems: [] })
  })

  test('unplugged, it counts from then on', () => {
    const sysfs = fakeSysfs({ ...battery('BAT0', { status: 'Full\n' }), ...mains(1) })
    const { read } = open(sysfs)
    read()
    read(100)
    sysfs.write(`${supply}/BAT0/status`, 'Discharging\n')
    sysfs.write(`${supply}/AC/online`, '0\n')
    const unplugged = read(1)
    expect(energyOf(unplugged)).toBe(0)
    expect(unplugged.problems).toEqual([])
    expect(energyOf(read(1))).toBe(10)
  })

  test('plugged in and unplugged again, the time between is a gap and no jump', () => {
    const sysfs = fakeSysfs({ ...battery(), ...mains(0) })
    const { read } = open(sysfs)
    read()
    read(1)
    sysfs.write(`${supply}/BAT0/status`, 'Charging\n')
    sysfs.write(`${supply}/BAT0/power_now`, '45000000\n')
    expect(read(60)).toMatchObject({ readings: [], problems: [{ code: 'ERR_COUNTER_GAP', gap: 60 }] })
    sysfs.write(`${supply}/BAT0/status`, 'Discharging\n')
    sysfs.write(`${supply}/BAT0/power_now`, '10000000\n')
    const unplugged = read(1)
    expect(energyOf(unplugged)).toBe(10)
    expect(unplugged.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', gap: 1 }])
    expect(energyOf(read(1))).toBe(20)
  })

  test('fed by a weak charger together with the battery, the battery does not tell all of it', () => {
    const { read } = open(fakeSysfs({ ...battery(), ...mains(1) }))
    read()
    expect(read().readings).toEqual([])
  })
})

describe('faults of a battery', () => {
  test.each(['900000000000', 'unknown', ''])('a power of %j is no figure', (text) => {
    const sysfs = fakeSysfs(battery())
    const { read } = open(sysfs)
    read()
    sysfs.write(`${supply}/BAT0/power_now`, `${text}\n`)
    expect(read()).toMatchObject({ readings: [], problems: [{ code: 'ERR_PROBE_READ' }] })
  })

  test('a second battery that is put in counts too', () => {
    const sysfs = fakeSysfs(battery())
    const { read } = open(sysfs)
    read()
    read(1)
    for (const [file, text] of Object.entries(battery('BAT1'))) sysfs.write(file, text)
    read(5)
    const before = energyOf(read(1))
    expect(energyOf(read(1)) - before).toBe(20)
  })

  test('one that is taken out does not stop the other', () => {
    const sysfs = fakeSysfs({ ...battery(), ...battery('BAT1') })
    const { read } = open(sysfs)
    read()
    read(1)
    sysfs.remove(`${supply}/BAT0`)
    read(5)
    const before = energyOf(read(1))
    expect(energyOf(read(1)) - before).toBe(10)
  })
})
