import { describe, expect, test } from 'vitest'
import { ProbeUnavailable } from '../../src/core/errors.ts'
import { createAmdGpuProbe, type AmdGpuOptions } from '../../src/probes/amd-gpu.ts'
import { findAmdGpus } from '../../src/probes/linux/amd-gpus.ts'
import { expectReading, itIsAProbe, itIsAProbeOfACounter } from '../contract/probe.ts'
import { fakeMonitor, timed, type FakeMonitor } from '../fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree } from '../fixtures/fake-sysfs.ts'
import { amdApu, amdCard, amdDie } from '../fixtures/monitors.ts'

const open = (sysfs: FakeTree, options: Omit<AmdGpuOptions, 'sysfsPath'> = {}) =>
  timed(createAmdGpuProbe({ sysfsPath: sysfs.path, ...options }))

function openCard(): ReturnType<typeof open> & { sysfs: FakeTree; card: FakeMonitor } {
  const sysfs = fakeSysfs()
  const card = fakeMonitor(sysfs, amdCard())
  return { sysfs, card, ...open(sysfs) }
}

itIsAProbe('amdgpu by power', () => ({ ...openCard(), work: () => undefined }))

itIsAProbeOfACounter('amdgpu by energy', ({ counterJoules }) => {
  const sysfs = fakeSysfs()
  const card = fakeMonitor(sysfs, amdCard())
  let energy = counterJoules
  const spend = (joules: number): void => {
    energy += joules
    card.set('energy1_input', energy * 1e6)
  }
  spend(0)
  const repair = (): void => {
    spend(0)
  }
  const fail = (): void => {
    card.breakFile('energy1_input')
  }
  return {
    ...open(sysfs),
    work: (time) => {
      spend(100 * time)
    },
    counter: { domain: 'amd-gpu-0', spend, fail, repair },
  }
})

describe('what the driver of AMD shows of a card', () => {
  test('its power over time is its energy, integrated', () => {
    const { read, card } = openCard()
    read()
    expect(expectReading(read(1), 'amd-gpu-0')).toMatchObject({
      component: 'gpu',
      kind: 'gpu',
      method: 'integrated',
      probe: 'amdgpu',
      energy: 100,
      powerLimit: 300,
    })
    card.set('power1_average', 300_000_000)
    // The trapezium between 100 W and 300 W, for two seconds.
    expect(expectReading(read(2), 'amd-gpu-0').energy).toBe(500)
  })

  test('the mean of the firmware is read, and the present power where there is none', () => {
    const sysfs = fakeSysfs()
    const card = fakeMonitor(sysfs, amdCard())
    card.set('power1_input', 999_000_000)
    const mean = open(sysfs)
    mean.read()
    expect(expectReading(mean.read(), 'amd-gpu-0').energy).toBe(100)
    card.remove('power1_average')
    const present = open(sysfs)
    present.read()
    expect(expectReading(present.read(), 'amd-gpu-0').energy).toBe(999)
  })

  test('a card is known by address, unique number, name and limit', () => {
    const { probe, sysfs } = openCard()
    expect(probe.devices).toMatchObject([
      {
        index: 0,
        pciId: '0000:03:00.0',
        uniqueId: 'a1b2c3d4e5f60308',
        name: 'AMD GPU 1002:73a3',
        isPartOfPackage: false,
        powerCap: 300,
      },
    ])
    fakeMonitor(sysfs, amdDie('0000:c1:00.0', true))
    expect(findAmdGpus(sysfs.path)[1]?.name).toBe('AMD INSTINCT MI250X')
  })

  test('it tells how busy it is and how much of its memory is used', () => {
    const { probe, card } = openCard()
    expect(probe.vitals()).toEqual(
      new Map([[0, { utilisation: 0.42, memoryUsedBytes: 2 ** 30, memoryTotalBytes: 34_342_961_152 }]]),
    )
    card.setDevice('gpu_busy_percent', 'no idea')
    expect(probe.vitals().get(0)).not.toHaveProperty('utilisation')
  })

  test('64 cards are 64 domains, in the order of their addresses', () => {
    const sysfs = fakeSysfs()
    const hex = (at: number): string => at.toString(16).padStart(2, '0')
    for (let at = 63; at >= 0; at -= 1) {
      fakeMonitor(sysfs, { ...amdCard(`0000:${hex(at + 1)}:00.0`), number: 64 - at })
    }
    const { probe, read } = open(sysfs)
    read()
    expect(read().readings).toHaveLength(64)
    expect(probe.devices.map(({ pciId }) => pciId)).toEqual(
      Array.from({ length: 64 }, (_, at) => `0000:${hex(at + 1)}:00.0`),
    )
  })

  test('only those that are selected are read, under the number that they have among all', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdCard('0000:03:00.0'))
    fakeMonitor(sysfs, { ...amdCard('0000:83:00.0'), number: 9 })
    const { read } = open(sysfs, { select: ({ pciId }) => pciId.startsWith('0000:83') })
    expect(read().readings.map(({ domain }) => domain)).toEqual(['amd-gpu-1'])
  })
})

describe('graphics that do not count by themselves', () => {
  test('the graphics of an APU are part of the package', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdApu)
    expect(findAmdGpus(sysfs.path)[0]?.isPartOfPackage).toBe(true)
    expect(() => createAmdGpuProbe({ sysfsPath: sysfs.path })).toThrow(ProbeUnavailable)
  })

  test('the MI300A is an APU, though its monitor looks like that of a card', () => {
    const sysfs = fakeSysfs()
    const card = amdCard()
    fakeMonitor(sysfs, { ...card, deviceFiles: { ...card.deviceFiles, device: '0x74a0\n' } })
    expect(findAmdGpus(sysfs.path)[0]?.isPartOfPackage).toBe(true)
  })

  test('a card beside an APU counts alone', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdApu)
    fakeMonitor(sysfs, amdCard())
    expect(
      open(sysfs)
        .read()
        .readings.map(({ domain }) => domain),
    ).toEqual(['amd-gpu-0'])
  })

  test('a board with two dies counts once, with the figure of its first die', () => {
    const sysfs = fakeSysfs()
    for (const [address, isFirst] of [
      ['0000:c1:00.0', true],
      ['0000:c6:00.0', false],
      ['0000:c9:00.0', true],
      ['0000:ce:00.0', false],
    ] as const) {
      fakeMonitor(sysfs, amdDie(address, isFirst))
    }
    const { probe, read } = open(sysfs)
    read()
    const { readings, problems } = read()
    expect(readings.map(({ domain, energy }) => [domain, energy])).toEqual([
      ['amd-gpu-0', 200],
      ['amd-gpu-2', 200],
    ])
    expect(problems).toEqual([])
    expect(probe.devices.map(({ meteredBy }) => meteredBy)).toEqual([
      undefined,
      '0000:c1:00.0',
      undefined,
      '0000:c9:00.0',
    ])
  })
})

describe('a card that sleeps', () => {
  test('it is not asked, and draws nothing while its mains are off', () => {
    const { card, read } = openCard()
    read()
    card.setDevice('power/runtime_status', 'suspended')
    card.setDevice('power_state', 'D3cold')
    card.breakFile('power1_average')
    read()
    const asleep = read(1)
    expect(asleep.problems).toEqual([])
    // From 100 W to nothing in the first second.
    expect(expectReading(asleep, 'amd-gpu-0').energy).toBe(50)
  })

  test('where it sleeps under power, nobody can say what it draws, and the gap is told', () => {
    const { card, read } = openCard()
    read()
    card.setDevice('power/runtime_status', 'suspended')
    card.setDevice('power_state', 'D3hot')
    expect(read(1)).toMatchObject({ readings: [], problems: [{ code: 'ERR_COUNTER_GAP', gap: 1 }] })
    card.setDevice('power/runtime_status', 'active')
    const awake = read(1)
    expect(expectReading(awake, 'amd-gpu-0').energy).toBe(0)
    expect(awake.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', gap: 1 }])
    expect(expectReading(read(1), 'amd-gpu-0').energy).toBe(100)
  })

  test('it is not woken to tell how busy it is', () => {
    const { card, probe } = openCard()
    card.setDevice('power/runtime_status', 'suspended')
    expect(probe.vitals().get(0)).toEqual({ utilisation: 0 })
  })
})

describe('faults of a card', () => {
  test('a failed read is no reading and a gap, and what comes after has no jump', () => {
    const { card, read } = openCard()
    read()
    read()
    card.breakFile('power1_average')
    expect(read(1)).toMatchObject({
      readings: [],
      problems: [{ code: 'ERR_PROBE_READ', subject: 'amd-gpu-0', gap: 1 }],
    })
    card.set('power1_average', 200_000_000)
    const back = read(1)
    expect(expectReading(back, 'amd-gpu-0').energy).toBe(100)
    expect(back.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', gap: 1 }])
    expect(expectReading(read(1), 'amd-gpu-0').energy).toBe(300)
  })

  test.each([
    ['negative', '-5000000'],
    ['more than any card draws', '4294967295000'],
    ['no number', 'N/A'],
    ['nothing', ''],
  ])('a power that is %s is no figure', (_, text) => {
    const { card, read } = openCard()
    read()
    card.set('power1_average', text)
    const { readings, problems } = read()
    expect(readings).toEqual([])
    expect(problems).toMatchObject([{ code: 'ERR_PROBE_READ' }])
  })

  test('a card that is awake and says 0 W for long has no meter', () => {
    const { card, read } = openCard()
    read()
    card.set('power1_average', 0)
    const codes = Array.from({ length: 14 }, () => read().problems[0]?.code)
    expect(codes[0]).toBeUndefined()
    expect(codes.at(-1)).toBe('ERR_PROBE_READ')
  })

  test('a meter that fails for long is asked ever more seldom, and taken up again', () => {
    const { card, read } = openCard()
    read()
    card.breakFile('power1_average')
    for (let time = 0; time < 100; time += 1) expect(read().problems).toHaveLength(1)
    card.set('power1_average', 100_000_000)
    let waited = 0
    while (read().readings.length === 0) waited += 1
    expect(waited).toBeGreaterThan(1)
    expect(waited).toBeLessThan(12)
    expect(expectReading(read(), 'amd-gpu-0').energy).toBe(100)
  })

  test('a card that leaves is gone, and one that comes back under another number is itself', () => {
    const { card, read } = openCard()
    read()
    read()
    card.vanish()
    const gone = read(5)
    expect(gone).toMatchObject({ readings: [], problems: [{ code: 'ERR_PROBE_GONE', gap: 5 }] })
    card.appear(8)
    const back = read(5)
    expect(expectReading(back, 'amd-gpu-0').energy).toBe(100)
    expect(back.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', gap: 5 }])
    expect(expectReading(read(), 'amd-gpu-0').energy).toBe(200)
  })

  test('a card that is plugged in later counts from then on', () => {
    const { sysfs, read } = openCard()
    read()
    fakeMonitor(sysfs, { ...amdCard('0000:83:00.0'), number: 9 })
    expect(expectReading(read(5), 'amd-gpu-1').energy).toBe(0)
    expect(expectReading(read(1), 'amd-gpu-1').energy).toBe(100)
  })

  test('a machine that slept has no energy for the time it slept', () => {
    const { read } = openCard()
    read()
    read()
    expect(expectReading(read(1, true), 'amd-gpu-0').energy).toBe(100)
    expect(expectReading(read(), 'amd-gpu-0').energy).toBe(200)
  })
})

describe('where there is no card to read', () => {
  const refusal = (sysfs: FakeTree): ProbeUnavailable => {
    try {
      createAmdGpuProbe({ sysfsPath: sysfs.path }).close?.()
    } catch (error) {
      if (error instanceof ProbeUnavailable) return error
    }
    throw new Error('the probe was opened')
  }

  test('without a monitor there is no probe, and the driver is named', () => {
    expect(refusal(fakeSysfs()).remedy).toContain('modprobe amdgpu')
  })

  test('a driver without power, as in virtual machines, is said', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdCard()).remove('power1_average')
    expect(refusal(sysfs).message).toContain('shows no power')
  })

  test('one card that cannot be read does not hide the other', () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdCard('0000:03:00.0')).breakFile('power1_average')
    fakeMonitor(sysfs, { ...amdCard('0000:83:00.0'), number: 9 })
    const { readings, problems } = open(sysfs).read()
    expect(readings.map(({ domain }) => domain)).toEqual(['amd-gpu-1'])
    expect(problems).toMatchObject([{ code: 'ERR_UNMEASURED', subject: 'amd-gpu-0' }])
  })
})
