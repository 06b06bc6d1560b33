import { describe, expect, onTestFinished, test } from 'vitest'
import { ProbeUnavailable } from '../../../src/core/errors.ts'
import type { ProbeResult } from '../../../src/core/probe.ts'
import { seconds } from '../../../src/core/units.ts'
import { createEmiProbe, type EmiOptions, type EmiProbe } from '../../../src/probes/windows/emi-probe.ts'
import { EmiError } from '../../../src/probes/windows/emi-binding.ts'
import { itIsAProbeOfACounter } from '../../contract/probe.ts'
import {
  fakeEmi,
  picowattHours,
  type FakeChannel,
  type FakeDevice,
  type FakeEmi,
} from '../../fixtures/fake-emi.ts'

const accessDenied = 5
const notConnected = 1167
const generalFailure = 31

const channel = (name: string, joules = 1000): FakeChannel => ({ name, picowattHours: picowattHours(joules) })
const device = (path: string, channels: readonly FakeChannel[]): FakeDevice => ({
  path,
  version: 2,
  channels,
})

/** One device with all of a socket's channels, as Intel has it. */
const intelDevice = (socket = 0, dram = 500): FakeDevice =>
  device(
    `\\\\?\\meter${socket}`,
    (['PKG', 'DRAM', 'PP0', 'PP1'] as const).map((word) =>
      channel(`RAPL_Package${socket}_${word}`, word === 'DRAM' ? dram : 1000),
    ),
  )

interface Bench {
  readonly probe: EmiProbe
  readonly emi: FakeEmi
  read(passed?: number, resumed?: boolean): ProbeResult
  /** Lets a channel count. */
  spend(name: string, joules: number): void
}

function open(devices: FakeDevice[], options: Omit<EmiOptions, 'binding'> = {}): Bench {
  const emi = fakeEmi(devices)
  const probe = createEmiProbe({ binding: emi.binding, ...options })
  onTestFinished(() => {
    probe.close?.()
    expect(emi.opened).toBe(0)
  })
  let at = 100
  return {
    probe,
    emi,
    read(passed = 1, resumed = false) {
      at += passed
      return probe.read({ at: seconds(at), resumed })
    },
    spend(name, joules) {
      for (const { channels } of devices) {
        for (const one of channels) if (one.name === name) one.picowattHours += picowattHours(joules)
      }
    },
  }
}

const energies = ({ readings }: ProbeResult): Record<string, number> =>
  Object.fromEntries(readings.map(({ domain, energy }) => [domain, Number(energy.toFixed(6))]))

function refusal(devices: FakeDevice[]): ProbeUnavailable {
  const emi = fakeEmi(devices)
  try {
    createEmiProbe({ binding: emi.binding })
  } catch (error) {
    expect(emi.opened).toBe(0)
    if (error instanceof ProbeUnavailable) return error
    throw error
  }
  throw new Error('the probe was opened')
}

itIsAProbeOfACounter('emi with one package', ({ counterJoules }) => {
  // In whole joules of picowatt-hours, so that the contract's one joule is one joule.
  let joules = counterJoules
  const one = channel('RAPL_Package0_PKG', counterJoules)
  const bench = open([device('meter', [one])])
  const spend = (more: number): void => {
    joules += more
    one.picowattHours = picowattHours(joules)
  }
  return {
    probe: bench.probe,
    work: (time) => {
      spend(65 * time)
    },
    counter: {
      domain: 'package-0',
      spend,
      fail: () => {
        bench.emi.devices[0]!.controlError = generalFailure
      },
      repair: () => {
        bench.emi.devices[0]!.controlError = undefined
      },
    },
  }
})

describe('channels', () => {
  test('a package counts, cores and graphics are inside it, memory is beside it', () => {
    const { read, spend, probe } = open([intelDevice()])
    read()
    spend('RAPL_Package0_PKG', 100)
    spend('RAPL_Package0_PP0', 80)
    spend('RAPL_Package0_DRAM', 10)
    const result = read()
    expect(energies(result)).toEqual({ 'package-0': 100, 'core-0': 80, 'uncore-0': 0, 'dram-0': 10 })
    const roots = result.readings.filter(({ parent }) => parent === undefined)
    expect(roots.map(({ domain, component, method }) => [domain, component, method])).toEqual([
      ['package-0', 'cpu', 'measured'],
      ['dram-0', 'ram', 'measured'],
    ])
    expect(probe.components).toEqual(['cpu', 'ram'])
  })

  test('a memory channel that never counted is behind no hardware: memory is left to the estimate', () => {
    const { read, probe } = open([intelDevice(0, 0)])
    expect(Object.keys(energies(read()))).toEqual(['package-0', 'core-0', 'uncore-0'])
    expect(probe.components).toEqual(['cpu'])
  })

  test('memory that the user estimates is not measured', () => {
    expect(open([intelDevice()], { includeDram: false }).probe.components).toEqual(['cpu'])
  })

  test('AMD has a device for each core, in any order: the one with the package is found', () => {
    const devices = [3, 0, 1].map((core) =>
      device(`core${core}`, [
        ...(core === 0 ? [channel('RAPL_Package0_PKG')] : []),
        channel(`RAPL_Package0_Core${core}_CORE`),
      ]),
    )
    const { read, emi } = open(devices)
    expect(energies(read())).toEqual({ 'package-0': 0 })
    expect(emi.opened).toBe(1)
  })

  test('two sockets are two packages, and one that two devices tell counts once', () => {
    const { read, spend } = open([intelDevice(0), intelDevice(1), { ...intelDevice(0), path: 'twin' }])
    read()
    spend('RAPL_Package0_PKG', 1)
    spend('RAPL_Package1_PKG', 2)
    expect(energies(read())).toMatchObject({ 'package-0': 1, 'package-1': 2 })
  })

  test('cores without their package are not counted for it', () => {
    expect(refusal([device('meter', [channel('RAPL_Package0_PP0')])]).message).toContain('RAPL_Package0_PP0')
    const { read } = open([device('meter', [channel('RAPL_Package0_PKG'), channel('RAPL_Package1_PP0')])])
    expect(Object.keys(energies(read()))).toEqual(['package-0'])
  })
})

describe('refusal', () => {
  test('no meter: says where there are some', () => {
    const { message, remedy } = refusal([])
    expect(message).toBe('Windows shows no energy meter')
    expect(remedy).toContain('virtual machines have none')
  })

  test('no permission: says so, and what would help', () => {
    const { message, remedy } = refusal([{ ...intelDevice(), openError: accessDenied }])
    expect(message).toContain('access denied')
    expect(remedy).toBe('run as administrator')
  })

  test('a driver that answers nonsense is refused', () => {
    expect(refusal([{ ...intelDevice(), version: 7 }]).message).toContain('version 7')
    expect(refusal([{ ...intelDevice(), controlError: generalFailure }]).message).toContain('error 31')
  })

  test("a maker's own meter is named, so that its names can be told to us", () => {
    const { message } = refusal([{ path: 'own', version: 1, channels: [channel('CPU_CLUSTER_0')] }])
    expect(message).toContain('CPU_CLUSTER_0')
  })

  test('a system that cannot list devices is refused', () => {
    const binding = {
      devices: (): never => {
        throw new EmiError('SetupDiGetClassDevsW', 13)
      },
      open: (): never => {
        throw new EmiError('CreateFileW', 2)
      },
    }
    expect(() => createEmiProbe({ binding })).toThrow(ProbeUnavailable)
  })

  test('one device of two that cannot be read is told, not passed over', () => {
    const { read } = open([intelDevice(0), { ...intelDevice(1), openError: accessDenied }])
    expect(read().problems).toMatchObject([{ code: 'ERR_UNMEASURED', subject: 'emi' }])
    expect(read().problems).toEqual([])
  })
})

describe('faults', () => {
  test('a counter that starts anew is a gap, and counts on from there', () => {
    const { read, emi, spend } = open([device('meter', [channel('RAPL_Package0_PKG', 5000)])])
    read()
    emi.devices[0]!.channels[0]!.picowattHours = 0n
    const result = read()
    expect(result.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', subject: 'package-0', gap: 1 }])
    expect(energies(result)).toEqual({ 'package-0': 0 })
    spend('RAPL_Package0_PKG', 30)
    expect(energies(read())).toEqual({ 'package-0': 30 })
  })

  test('the end of its 64 bits is a wrap', () => {
    const { read, emi } = open([device('meter', [channel('RAPL_Package0_PKG', 0)])])
    const one = emi.devices[0]!.channels[0]!
    one.picowattHours = 2n ** 64n - picowattHours(40)
    read(1e9)
    const before = energies(read())['package-0'] ?? 0
    one.picowattHours = picowattHours(60)
    const { readings, problems } = read()
    expect(problems).toEqual([])
    expect((readings[0]?.energy ?? 0) - before).toBeCloseTo(100, 3)
  })

  test('a rise that no hardware could make has an interval that begins without it', () => {
    const { read, spend } = open([device('meter', [channel('RAPL_Package0_PKG')])])
    read()
    spend('RAPL_Package0_PKG', 1e7)
    const result = read()
    expect(result.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP' }])
    expect(result.readings[0]?.low).toBe(0)
  })

  test('a counter that stands still is no measurement of nothing', () => {
    const { read, spend } = open([device('meter', [channel('RAPL_Package0_PKG')])])
    for (let second = 0; second < 10; second += 1) expect(read().problems).toEqual([])
    const result = read()
    expect(result.readings).toEqual([])
    expect(result.problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: 'package-0' }])
    spend('RAPL_Package0_PKG', 7)
    expect(energies(read())).toEqual({ 'package-0': 7 })
  })

  test('a device that goes away is absent, and taken up again when it comes back under another path', () => {
    const bench = open([intelDevice()])
    const { read, spend, emi } = bench
    read()
    spend('RAPL_Package0_PKG', 50)
    read()
    const old = emi.devices[0]!
    old.controlError = notConnected
    old.isPresent = false
    const gone = read()
    expect(gone.readings).toEqual([])
    expect(gone.problems.map(({ code }) => code)).toEqual(Array(4).fill('ERR_PROBE_GONE'))
    expect(emi.opened).toBe(0)
    expect(read().problems).toHaveLength(4)

    emi.devices.splice(0, 1, device('elsewhere', old.channels))
    spend('RAPL_Package0_PKG', 10)
    const back = read(5)
    expect(back.problems).toEqual([])
    expect(energies(back)).toMatchObject({ 'package-0': 60 })
    expect(emi.opened).toBe(1)
  })

  test('a device that came back with a counter from zero is a gap', () => {
    const { read, emi } = open([device('meter', [channel('RAPL_Package0_PKG', 9000)])])
    read()
    emi.devices[0]!.controlError = notConnected
    read()
    emi.devices.splice(0, 1, device('new', [channel('RAPL_Package0_PKG', 3)]))
    const back = read(5)
    expect(back.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP' }])
    expect(energies(back)).toEqual({ 'package-0': 0 })
  })

  test('sleep that started the counter anew is a gap, no wrap', () => {
    const { read, emi } = open([device('meter', [channel('RAPL_Package0_PKG', 9000)])])
    read()
    emi.devices[0]!.channels[0]!.picowattHours = 5n
    expect(read(10, true).problems).toMatchObject([{ code: 'ERR_COUNTER_GAP' }])
  })
})
