import { describe, expect, test } from 'vitest'
import type { Problem } from '../../../src/core/problem.ts'
import type { ProbeResult } from '../../../src/core/probe.ts'
import { seconds } from '../../../src/core/units.ts'
import { createNvmlProbe, type NvmlOptions, type NvmlProbe } from '../../../src/probes/nvml/nvml-probe.ts'
import { expectReading, itIsAProbe, itIsAProbeOfACounter } from '../../contract/probe.ts'
import { fakeClock, type FakeClock } from '../../fixtures/fake-clock.ts'
import { fakeNvml } from '../../fixtures/nvml/fake-nvml.ts'
import { domainOf, sliceOf, uuidOf, type NvmlRig } from '../../fixtures/nvml/rig.ts'
import { openProbe, rigs } from '../../fixtures/nvml/rigs.ts'

/** An open probe, its cards and its time. */
interface Bench {
  readonly probe: NvmlProbe
  readonly clock: FakeClock
  /** Reads after a time, by default a second. */
  read(passed?: number, resumed?: boolean): ProbeResult
  /** Counts energy on a card's counter. */
  spend(joules: number, index?: number): void
  /** Lets the library be opened anew, where the probe has begun to. */
  settle(): Promise<void>
}

async function open(rig: NvmlRig, options: NvmlOptions = {}): Promise<Bench> {
  const clock = fakeClock()
  const counters = new Map<number, number>()
  const probe = await openProbe(rig, { clock, ...options })
  return {
    probe,
    clock,
    read(passed = 1, resumed = false) {
      clock.advance(passed)
      return probe.read({ at: clock.now().monotonic, resumed })
    },
    spend(joules, index = 0) {
      counters.set(index, (counters.get(index) ?? 1_000_000) + joules * 1000)
      rig.set(index, 'energyMillijoules', Math.round(counters.get(index)!))
    },
    async settle() {
      // Calls of the compiled library go through other threads, which take their time on a busy machine.
      for (let turn = 0; turn < 150; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
    },
  }
}

const domains = ({ readings }: ProbeResult): readonly string[] => readings.map(({ domain }) => domain)
const codes = ({ problems }: ProbeResult): readonly string[] => problems.map(({ code }) => code)
const energyOf = (result: ProbeResult, index = 0): number => expectReading(result, domainOf(index)).energy
const problemOf = ({ problems }: ProbeResult, index = 0): Problem | undefined =>
  problems.find(({ subject }) => subject === domainOf(index))

describe.each(rigs)('NVML %s:', (name, makeRig) => {
  itIsAProbeOfACounter(`nvml with energy counters, ${name},`, async ({ counterJoules }) => {
    const rig = makeRig(2)
    let millijoules = counterJoules * 1000
    const show = (): void => {
      rig.set(0, 'energyMillijoules', Math.round(millijoules))
    }
    let other = 0
    show()
    const probe = await openProbe(rig, { clock: fakeClock({ start: 5000 }) })
    const spend = (joules: number): void => {
      millijoules += joules * 1000
      rig.fail(0, 'energyMillijoules', 0)
      show()
    }
    return {
      probe,
      work(time) {
        spend(300 * time)
        rig.set(1, 'energyMillijoules', (other += 70_000 * time) + 1_000_000)
      },
      counter: {
        domain: domainOf(0),
        spend,
        fail: () => {
          rig.fail(0, 'energyMillijoules', 10)
        },
        repair: () => {
          rig.fail(0, 'energyMillijoules', 0)
        },
      },
    }
  })

  itIsAProbe(`nvml with cards that show their power, ${name},`, async () => {
    const rig = makeRig(2)
    for (const index of [0, 1]) rig.fail(index, 'energyMillijoules', 3)
    const probe = await openProbe(rig, { clock: fakeClock({ start: 5000 }) })
    return { probe, work: () => undefined }
  })

  itIsAProbe(`nvml with a card that shows how busy it is, ${name},`, async () => {
    const rig = makeRig(1)
    rig.fail(0, 'energyMillijoules', 3)
    rig.fail(0, 'powerMilliwatts', 3)
    const probe = await openProbe(rig, { clock: fakeClock({ start: 5000 }) })
    return {
      probe,
      work: () => {
        rig.set(0, 'utilisationPercent', 40)
      },
    }
  })

  test('a card says who it is', async () => {
    const rig = makeRig(2)
    rig.set(1, 'memoryUsed', 3n << 30n)
    rig.set(1, 'utilisationPercent', 40)
    const { probe, read } = await open(rig)
    expect(expectReading(read(), domainOf(1)).powerLimit).toBe(400)
    expect(probe.devices()[1]).toEqual({
      domain: domainOf(1),
      index: 1,
      uuid: uuidOf(1),
      name: 'NVIDIA A100-SXM4-80GB',
      pciBusId: '00000000:11:00.0',
      driver: '550.54.15',
      powerLimitWatts: 400,
      memoryTotalBytes: 80 * 2 ** 30,
      memoryUsedBytes: 3 * 2 ** 30,
      utilisation: 0.4,
      method: 'measured',
      unmeasured: undefined,
    })
    expect(probe.utilisation()).toBe(0.2)
    expect(probe.refusal()).toBeUndefined()
  })

  test('64 cards are 64 domains', async () => {
    const rig = makeRig(64)
    const { read, spend } = await open(rig)
    for (let index = 0; index < 64; index += 1) spend(index + 1, index)
    const result = read()
    expect(new Set(domains(result)).size).toBe(64)
    expect(result.readings.reduce((sum, { energy }) => sum + energy, 0)).toBeCloseTo((64 * 65) / 2, 6)
  })

  test('only chosen cards count', async () => {
    const { read, probe } = await open(makeRig(4), { gpuIds: [3, uuidOf(1)] })
    expect(domains(read())).toEqual([domainOf(1), domainOf(3)])
    expect(probe.devices().map(({ index }) => index)).toEqual([1, 3])
  })

  test('the cards that CUDA shows count, where none are chosen', async () => {
    const { read } = await open(makeRig(4), { environment: { CUDA_VISIBLE_DEVICES: '2' } })
    expect(domains(read())).toEqual([domainOf(2)])
  })

  test('a wrong choice is told once', async () => {
    const { read } = await open(makeRig(1), { gpuIds: [0, 5] })
    const result = read()
    expect(domains(result)).toEqual([domainOf(0)])
    expect(result.problems).toMatchObject([{ code: 'ERR_OPTION_INVALID', subject: 'gpu_ids' }])
    expect(read().problems).toEqual([])
  })

  test('processes share a card by how busy they keep it, else equally, else nobody knows', async () => {
    const rig = makeRig(2)
    rig.run(0, 100, 75)
    rig.run(0, 200, 25)
    rig.run(1, 300, 0)
    rig.run(1, 400, 0)
    const { probe } = await open(rig)
    const [first, second] = probe.processUse()
    expect(first).toEqual({
      domain: domainOf(0),
      by: 'utilisation',
      shares: new Map([
        [100, 0.75],
        [200, 0.25],
      ]),
    })
    expect(second).toEqual({
      domain: domainOf(1),
      by: 'presence',
      shares: new Map([
        [300, 0.5],
        [400, 0.5],
      ]),
    })
    rig.failSamples(0, 3)
    expect(probe.processUse()[0]).toMatchObject({
      by: 'presence',
      shares: new Map([
        [100, 0.5],
        [200, 0.5],
      ]),
    })
    rig.fail(0, 'identity', 4)
    expect(probe.processUse().map(({ domain }) => domain)).toEqual([domainOf(1)])
  })

  test('the library is given back when the probe is closed', async () => {
    const rig = makeRig(1)
    const { probe, settle } = await open(rig)
    expect(rig.isOpen()).toBe(true)
    probe.close?.()
    await settle()
    expect(rig.isOpen()).toBe(false)
  })

  test('closing it while it opens is safe, and gives the library back', async () => {
    const rig = makeRig(8)
    const probe = createNvmlProbe({ load: rig.load, environment: {} })
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
    probe.close?.()
    await probe.opened
    expect(rig.isOpen()).toBe(false)
    expect(probe.read({ at: seconds(1), resumed: false })).toEqual({ readings: [], problems: [] })
  })

  describe('where something is wrong,', () => {
    test.each([
      [9, 'the NVIDIA driver is not loaded', 'sudo modprobe nvidia'],
      [18, 'the NVML library and the loaded driver are of different versions', 'restart the machine'],
      [4, 'no permission to ask the graphics processor', '/dev/nvidia'],
      [77, 'the driver failed (nvmlInit_v2: 77)', ''],
    ])('a driver that fails with %i is a reason and what would help, once', async (code, reason, remedy) => {
      const rig = makeRig(1)
      rig.initCode(code)
      const { probe, read } = await open(rig)
      expect(probe.refusal()?.reason).toContain(reason)
      expect(probe.refusal()?.remedy ?? '').toContain(remedy)
      const { readings, problems } = read()
      expect(readings).toEqual([])
      expect(problems).toMatchObject([{ code: 'ERR_PROBE_UNAVAILABLE', subject: 'nvml' }])
      expect(problems[0]?.message).toContain(remedy)
      expect(read()).toEqual({ readings: [], problems: [] })
    })

    test('a driver that comes up later is found, and asked more and more seldom until then', async () => {
      const rig = makeRig(1)
      rig.initCode(9)
      const { read, settle, spend } = await open(rig)
      for (let tick = 0; tick < 100; tick += 1) {
        read()
        if (tick % 5 === 0) await settle()
      }
      expect(rig.inits()).toBeLessThan(8)
      rig.initCode(0)
      for (let tick = 0; tick < 300 && !rig.isOpen(); tick += 10) {
        read(10)
        await settle()
      }
      spend(5)
      expect(energyOf(read())).toBe(5)
    })

    test('no card at all is a reason', async () => {
      const { probe, read } = await open(makeRig(0))
      expect(probe.refusal()).toMatchObject({ reason: 'NVML finds no graphics processor', isFinal: false })
      expect(read()).toEqual({ readings: [], problems: [] })
    })

    test('a card that may not be asked is unmeasured, and the others count', async () => {
      const rig = makeRig(2)
      rig.lose(0, 4)
      const { read } = await open(rig)
      const result = read()
      expect(domains(result)).toEqual([domainOf(1)])
      expect(result.problems).toMatchObject([{ code: 'ERR_UNMEASURED', subject: 'gpu:0' }])
      expect(read().problems).toEqual([])
    })

    test('a card without counter is integrated, and one that tells nothing is unmeasured', async () => {
      const rig = makeRig(3)
      for (const index of [0, 1, 2]) rig.fail(index, 'energyMillijoules', 3)
      for (const index of [1, 2]) rig.fail(index, 'powerMilliwatts', 3)
      rig.rename(2, 'NVIDIA Card Of Tomorrow')
      const { probe, read } = await open(rig)
      const result = read()
      expect(probe.devices().map(({ method }) => method)).toEqual(['integrated', 'estimated', undefined])
      expect(domains(result)).toEqual([domainOf(0), domainOf(1)])
      expect(probe.devices()[2]?.unmeasured).toContain('energy: the graphics processor does not tell it')
      expect(probe.devices()[2]?.unmeasured).toContain('estimate: no card of this name is known')
      expect(result.problems).toMatchObject([{ code: 'ERR_UNMEASURED', subject: domainOf(2) }])
    })

    test('a virtual card and a divided one say why they do not tell', async () => {
      const rig = makeRig(2)
      for (const index of [0, 1]) {
        for (const what of ['energyMillijoules', 'powerMilliwatts', 'utilisationPercent'] as const)
          rig.fail(index, what, 3)
      }
      rig.set(0, 'virtualisation', 2)
      rig.fail(1, 'migMode', 0)
      rig.set(1, 'migMode', 1)
      const { probe } = await open(rig)
      const [virtual, divided] = probe.devices()
      expect(virtual?.unmeasured).toContain(
        'a virtual graphics processor does not see the energy of its card',
      )
      expect(divided?.unmeasured).toContain('the card is divided into slices (MIG)')
    })

    test('a slice chooses its card, which counts as a whole', async () => {
      const rig = makeRig(2)
      rig.fail(1, 'migMode', 0)
      rig.set(1, 'migMode', 1)
      const { read, spend } = await open(rig, { environment: { CUDA_VISIBLE_DEVICES: sliceOf(1) } })
      spend(7, 1)
      const result = read()
      expect(domains(result)).toEqual([domainOf(1)])
      expect(energyOf(result, 1)).toBe(7)
    })

    test.each([15, 16, 1, 9])(
      'a card that is lost (%i) is absent with a gap, and goes on without a jump',
      async (code) => {
        const rig = makeRig(2)
        const { read, spend, settle } = await open(rig)
        spend(100)
        read()
        rig.lose(0, code)
        spend(50)
        const lost = read()
        expect(domains(lost)).toEqual([domainOf(1)])
        expect(problemOf(lost)).toMatchObject({ code: 'ERR_PROBE_GONE', gap: 1 })
        expect(problemOf(read(2))).toMatchObject({ code: 'ERR_PROBE_GONE', gap: 2 })
        rig.lose(0, 0)
        read(10)
        await settle()
        const found = read()
        expect(codes(found)).toEqual([])
        expect(energyOf(found)).toBe(150)
      },
    )

    test('a card that comes back with a counter that began anew has no negative and no phantom energy', async () => {
      const rig = makeRig(1)
      const { read, spend, settle } = await open(rig)
      spend(100)
      read()
      rig.lose(0, 15)
      read()
      read(10)
      rig.lose(0, 0)
      rig.set(0, 'energyMillijoules', 3000)
      read(10)
      await settle()
      const found = read()
      expect(codes(found)).toEqual(['ERR_COUNTER_GAP'])
      expect(energyOf(found)).toBe(100)
      rig.set(0, 'energyMillijoules', 13_000)
      expect(energyOf(read())).toBe(110)
    })

    test('a card that stays lost does not disturb the others for long, and is asked more and more seldom', async () => {
      const rig = makeRig(2)
      const { read, spend, settle } = await open(rig)
      rig.lose(0, 15)
      for (let tick = 0; tick < 600; tick += 1) {
        spend(10, 1)
        read()
        if (tick % 20 === 0) await settle()
      }
      await settle()
      expect(energyOf(read(), 1)).toBe(6000)
      expect(rig.inits()).toBeLessThan(10)
    }, 60_000)

    test('a card that is plugged in is counted from then on, and one that is taken out is told', async () => {
      const rig = makeRig(1)
      const { read, spend, settle } = await open(rig)
      read()
      rig.count(2)
      rig.set(1, 'energyMillijoules', 5_000_000)
      spend(8)
      read(61)
      await settle()
      expect(domains(read())).toEqual([domainOf(0), domainOf(1)])
      spend(8)
      expect(energyOf(read())).toBe(16)
      rig.count(1)
      spend(8)
      read(61)
      await settle()
      const result = read()
      expect(domains(result)).toEqual([domainOf(0)])
      expect(problemOf(result, 1)?.message).toContain('it is no longer there')
    })
  })
})

describe('a counter of energy', () => {
  test('that falls is a gap, and counts on from there', async () => {
    const rig = fakeNvml(1)
    const { read, spend } = await open(rig)
    spend(100)
    read()
    rig.set(0, 'energyMillijoules', 5000)
    const fallen = read()
    expect(codes(fallen)).toEqual(['ERR_COUNTER_GAP'])
    expect(energyOf(fallen)).toBe(100)
    rig.set(0, 'energyMillijoules', 25_000)
    expect(energyOf(read())).toBe(120)
  })

  test('that is misread once counts what it would have', async () => {
    const rig = fakeNvml(1)
    rig.set(0, 'energyMillijoules', 500_000_000)
    const { read } = await open(rig)
    rig.set(0, 'energyMillijoules', 500_100_000)
    read()
    rig.set(0, 'energyMillijoules', 0)
    expect(codes(read())).toEqual(['ERR_COUNTER_GAP'])
    rig.set(0, 'energyMillijoules', 500_130_000)
    expect(energyOf(read())).toBe(130)
  })

  test('that rises by more than the card can use is no energy', async () => {
    const rig = fakeNvml(1)
    const { read } = await open(rig)
    rig.set(0, 'energyMillijoules', 900_000_000)
    const jumped = read()
    expect(codes(jumped)).toEqual(['ERR_COUNTER_GAP'])
    expect(energyOf(jumped)).toBe(0)
    rig.set(0, 'energyMillijoules', 900_010_000)
    expect(energyOf(read())).toBe(10)
  })

  test.each([2n ** 64n - 1n, 2n ** 63n - 14n, 2n ** 63n - 1n])(
    'that shows %s, which means nothing, has failed',
    async (value) => {
      const rig = fakeNvml(1)
      const { read, spend } = await open(rig)
      rig.set(0, 'energyMillijoules', value)
      expect(codes(read())).toEqual(['ERR_PROBE_READ'])
      spend(20)
      expect(energyOf(read())).toBe(20)
    },
  )

  test('that stands still is none: the power is integrated from then on', async () => {
    const rig = fakeNvml(1)
    const { read, clock, probe } = await open(rig)
    let given: ProbeResult = { readings: [], problems: [] }
    for (let tick = 0; tick < 10 && given.problems.length === 0; tick += 1) given = read()
    expect(given.problems).toMatchObject([
      {
        code: 'ERR_COUNTER_GAP',
        message: expect.stringContaining('integrated from now on') as string,
        gap: 3,
      },
    ])
    expect(probe.devices()[0]?.method).toBe('integrated')
    const { energy: before, earlier } = expectReading(read(0), domainOf(0))
    // What the counter told stays its own, for counters that are told apart by the way.
    expect(earlier).toEqual([{ method: 'measured', energy: 0 }])
    expect(clock.waiting).toBe(1)
    // Up to a refresh period of it is still to come.
    expect(Math.abs(energyOf(read(10)) - before - 600)).toBeLessThan(60 * 0.1)
  })

  test('that counted while the machine slept, and began anew, is a gap', async () => {
    const rig = fakeNvml(1)
    const { read, spend } = await open(rig)
    spend(10)
    read()
    rig.set(0, 'energyMillijoules', 1)
    expect(codes(read(1, true))).toEqual(['ERR_COUNTER_GAP'])
  })
})

describe('a power that a card shows', () => {
  async function openPower(): Promise<Bench & { readonly rig: NvmlRig; show(power: number): void }> {
    const rig = fakeNvml(1)
    rig.fail(0, 'energyMillijoules', 3)
    const bench = await open(rig)
    return {
      ...bench,
      rig,
      show: (power) => {
        rig.set(0, 'powerMilliwatts', Math.round(power * 1000))
      },
    }
  }

  test('is looked at between readings, so that a burst between two of them counts', async () => {
    const { read, show, clock } = await openPower()
    read()
    const before = energyOf(read(0))
    clock.advance(5)
    show(360)
    clock.advance(5)
    show(60)
    const burst = energyOf(read(5)) - before
    expect(Math.abs(burst - (5 * 60 + 5 * 360 + 5 * 60))).toBeLessThan(0.1 * 300)
  })

  test('that never changes goes on counting', async () => {
    const { read } = await openPower()
    const before = energyOf(read())
    expect(energyOf(read(100)) - before).toBeCloseTo(6000, 6)
  })

  test.each([0, 0xffff_ffff / 1000, 0x7fff_ffff / 1000, 1300, 6000])(
    'of %d W is none: told, not counted, and over with the next',
    async (power) => {
      const { read, show } = await openPower()
      const before = energyOf(read())
      show(power)
      const failed = read(2)
      expect(codes(failed)).toEqual(['ERR_PROBE_READ'])
      expect(domains(failed)).toEqual([])
      show(60)
      const over = read(1)
      expect(energyOf(over) - before).toBeLessThanOrEqual(60 * 1.2)
      expect(energyOf(read(10)) - energyOf(over)).toBeCloseTo(600, 6)
    },
  )

  test('is not looked at when the probe is closed', async () => {
    const { probe, clock } = await openPower()
    expect(clock.waiting).toBe(1)
    probe.close?.()
    expect(clock.waiting).toBe(0)
  })

  test('is not looked at between readings where all cards have a counter', async () => {
    const { clock } = await open(fakeNvml(2))
    expect(clock.waiting).toBe(0)
  })
})

test('an estimate has an interval, and follows how busy the card is', async () => {
  const rig = fakeNvml(1)
  rig.fail(0, 'energyMillijoules', 3)
  rig.fail(0, 'powerMilliwatts', 3)
  const { read } = await open(rig)
  rig.set(0, 'utilisationPercent', 50)
  read()
  const before = expectReading(read(0), domainOf(0))
  const { energy, low, high, method } = expectReading(read(10), domainOf(0))
  expect(method).toBe('estimated')
  expect(energy - before.energy).toBeCloseTo(10 * (55 + (400 - 55) / 2), 6)
  expect(low).toBeLessThan(energy)
  expect(high).toBeGreaterThan(energy)
})
