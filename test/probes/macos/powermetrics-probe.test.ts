import { describe, expect, onTestFinished, test } from 'vitest'
import { ProbeUnavailable } from '../../../src/core/errors.ts'
import type { ProbeResult } from '../../../src/core/probe.ts'
import {
  createPowermetricsProbe,
  type PowermetricsOptions,
  type PowermetricsProbe,
} from '../../../src/probes/macos/powermetrics-probe.ts'
import { expectReading, itIsAProbe } from '../../contract/probe.ts'
import { fakeClock, type FakeClock } from '../../fixtures/fake-clock.ts'
import { fakePowermetrics, type FakePowermetrics } from '../../fixtures/fake-powermetrics.ts'

interface Bench {
  readonly probe: PowermetricsProbe
  readonly tool: FakePowermetrics
  readonly clock: FakeClock
  /** Lets time pass while the tool tells a sample of it, in milliwatts. */
  work(seconds: number, milliwatts?: Readonly<Record<string, number | string>>): void
  /** Reads after a time in which nothing was told. */
  read(passed?: number): ProbeResult
}

const apple = { cpu_power: 8000, gpu_power: 2000, ane_power: 500 }

function open(options: Partial<PowermetricsOptions> = {}): Bench {
  const tool = fakePowermetrics()
  const clock = fakeClock()
  const probe = createPowermetricsProbe({
    brand: 'Apple M4 Max',
    isRoot: true,
    exists: () => true,
    clock,
    run: tool.run,
    ...options,
  })
  onTestFinished(() => {
    probe.close?.()
  })
  clock.advance(0)
  return {
    probe,
    tool,
    clock,
    work(time, milliwatts = apple) {
      clock.advance(time)
      tool.tell(time, milliwatts)
    },
    read(passed = 0) {
      clock.advance(passed)
      return probe.read({ at: clock.now().monotonic, resumed: false })
    },
  }
}

const energies = ({ readings }: ProbeResult): Record<string, number> =>
  Object.fromEntries(readings.map(({ domain, energy }) => [domain, energy]))
const codes = ({ problems }: ProbeResult): readonly string[] => problems.map(({ code }) => code)
const messages = ({ problems }: ProbeResult): string => problems.map(({ message }) => message).join('\n')

for (const [name, brand, busy] of [
  ['on Apple silicon', 'Apple M2 Pro', apple],
  ['on Intel', 'Intel(R) Core(TM) i9-9880H CPU @ 2.30GHz', { package_watts: 30 }],
] as const) {
  itIsAProbe(`powermetrics ${name}`, () => {
    const { probe, work, tool } = open({ brand })
    // It is known that it may be run, and nothing was used so far.
    tool.tell(1, Object.fromEntries(Object.keys(busy).map((key) => [key, 0])))
    return {
      probe,
      work: (time) => {
        work(time, busy)
      },
    }
  })
}

describe('starting', () => {
  test('nothing is run before the program has gone on', () => {
    const tool = fakePowermetrics()
    const clock = fakeClock()
    const probe = createPowermetricsProbe({
      brand: 'Apple M1',
      isRoot: true,
      exists: () => true,
      clock,
      run: tool.run,
    })
    expect(tool.commands).toEqual([])
    expect(probe.read({ at: clock.now().monotonic, resumed: false })).toEqual({ readings: [], problems: [] })
    clock.advance(0)
    expect(tool.commands).toHaveLength(1)
    probe.close?.()
  })

  test('root runs it as it is, others through a sudo that does not ask', () => {
    expect(open().tool.commands).toEqual([
      {
        file: '/usr/bin/powermetrics',
        args: ['--samplers', 'cpu_power,gpu_power,ane_power', '-i', '500', '-f', 'plist'],
      },
    ])
    const [command] = open({ isRoot: false }).tool.commands
    expect(command?.file).toBe('/usr/bin/sudo')
    expect(command?.args.slice(0, 2)).toEqual(['-n', '/usr/bin/powermetrics'])
  })

  test('on Intel it asks for what there is, under Rosetta for what Apple has', () => {
    expect(open({ brand: 'Intel(R) Core(TM) i7' }).tool.commands[0]?.args[1]).toBe('cpu_power')
    expect(open({ brand: 'VirtualApple @ 2.50GHz' }).tool.commands[0]?.args[1]).toContain('ane_power')
  })

  test('a sampler that this system does not know is left out', () => {
    const { tool, clock } = open()
    tool.end('powermetrics: unrecognized sampler: ane_power')
    clock.advance(0)
    expect(tool.commands.map(({ args }) => args[1])).toEqual(['cpu_power,gpu_power,ane_power', 'cpu_power'])
  })

  test('where the tool is not there, or no way to be root, the probe is refused at once', () => {
    expect(() => open({ exists: () => false })).toThrow(ProbeUnavailable)
    expect(() => open({ isRoot: false, exists: (path) => !path.endsWith('sudo') })).toThrow(ProbeUnavailable)
    expect(() => open({ exists: (path) => !path.endsWith('sudo') })).not.toThrow()
  })

  test('components are what will be told: no graphics of its own on Intel', () => {
    expect(open().probe.components).toEqual(['cpu', 'gpu'])
    expect(open({ brand: 'Intel(R) Xeon(R) W-3223' }).probe.components).toEqual(['cpu'])
  })
})

describe('permission', () => {
  test.each([
    'sudo: a password is required',
    'Sorry, user ann is not allowed to execute /usr/bin/powermetrics as root on mac.',
    'ann is not in the sudoers file.',
    'powermetrics must be invoked as the superuser',
  ])('%s: one problem with the exact line for sudoers, and never a second try', async (reason) => {
    const { probe, tool, read } = open({ isRoot: false })
    tool.end(reason)
    const result = read()
    expect(result.readings).toEqual([])
    expect(codes(result)).toEqual(['ERR_PROBE_UNAVAILABLE'])
    expect(read(3600)).toEqual({ readings: [], problems: [] })
    expect(tool.commands).toHaveLength(1)
    const refusal = await probe.known
    expect(refusal?.remedy).toContain('sudo -v')
    expect(refusal?.remedy).toContain(
      String.raw`NOPASSWD: /usr/bin/powermetrics --samplers cpu_power\\,gpu_power\\,ane_power -i 500 -f plist`,
    )
  })

  test('it is known to be permitted at the first sample', async () => {
    const { probe, work } = open({ isRoot: false })
    work(0.5)
    await expect(probe.known).resolves.toBeUndefined()
  })

  test('one that is closed before anything was told keeps nobody waiting', async () => {
    const { probe } = open()
    probe.close?.()
    await expect(probe.known).resolves.toBeInstanceOf(ProbeUnavailable)
  })

  test('a tool that ends again and again without a word is given up, with its last words', async () => {
    const { probe, tool, clock } = open()
    for (let start = 0; start < 4; start += 1) {
      tool.end('dyld: Library not loaded')
      clock.advance(8)
    }
    expect(tool.commands).toHaveLength(4)
    await expect(probe.known).resolves.toMatchObject({
      message: 'powermetrics tells nothing: dyld: Library not loaded',
    })
  })
})

describe('energy', () => {
  test('is the power of each sample over its own window, whenever it is read', () => {
    const { work, read } = open()
    work(0.5)
    work(0.75, { ...apple, cpu_power: 4000 })
    const result = read(0.4)
    expect(result.problems).toEqual([])
    expect(energies(result)).toEqual({ cpu: 7, gpu: 2.5, ane: 0.625 })
    for (const { method, low, high, energy, parent } of result.readings) {
      expect([method, low, high, parent]).toEqual(['integrated', energy, energy, undefined])
    }
  })

  test('the neural engine is counted once, beside the graphics', () => {
    const { work, read } = open()
    work(1)
    const places = read().readings.map(({ domain, component, kind }) => [domain, component, kind])
    expect(places).toEqual([
      ['cpu', 'cpu', 'cpu'],
      ['gpu', 'gpu', 'gpu'],
      ['ane', 'gpu', 'other'],
    ])
  })

  test('a blocked event loop loses nothing: samples that waited are all counted', () => {
    const { tool, clock, read, work } = open()
    work(0.5)
    read()
    clock.block(30)
    for (let sample = 0; sample < 60; sample += 1) tool.tell(0.5, apple)
    expect(energies(read())['cpu']).toBeCloseTo(8 * 30.5, 9)
  })

  test('a read that comes before the samples that a blocked loop kept waiting reports no failure', () => {
    const { clock, read, work } = open()
    work(0.5)
    read()
    clock.block(120)
    expect(read().problems).toEqual([])
  })
})

describe('faults', () => {
  test('sleep: a sample that spans it is a gap and no energy', () => {
    const { work, read } = open()
    work(1)
    work(3600)
    const result = read()
    expect(energies(result)['cpu']).toBe(8)
    expect(result.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP', gap: 3600 }])
    work(1)
    expect(energies(read())['cpu']).toBe(16)
  })

  test('its end is told once, it is started again ever more slowly, and its figures go on without a jump', () => {
    const { tool, clock, work, read } = open()
    work(1)
    read()
    tool.end('it ended with SIGKILL')
    // Within the first second: perhaps all of us are ended.
    expect(read(0.5).problems).toEqual([])
    const down = read(1)
    expect(down.readings).toEqual([])
    expect(codes(down)).toEqual(['ERR_PROBE_GONE'])
    expect(messages(down)).toContain('SIGKILL')

    const before = tool.commands.length
    tool.end('again')
    clock.advance(1.9)
    expect(tool.commands).toHaveLength(before)
    expect(read(0.2)).toEqual({ readings: [], problems: [] })
    expect(tool.commands).toHaveLength(before + 1)

    work(1)
    const back = read()
    expect(energies(back)['cpu']).toBe(16)
    expect(codes(back)).toEqual(['ERR_COUNTER_GAP'])
    expect(back.problems[0]?.gap).toBeCloseTo(0.5 + 1 + 1.9 + 0.2, 9)
  })

  test('it is tried again for as long as it is down, a minute apart at last', () => {
    const { tool, clock, work } = open()
    work(1)
    tool.end('it ended with status 1')
    clock.advance(600)
    const before = tool.commands.length
    clock.advance(3600)
    // Each start says nothing for ten seconds, and then waits for a minute.
    expect(tool.commands.length - before).toBeCloseTo(3600 / 70, -1)
  })

  test('permission that is taken away ends it for good', () => {
    const { tool, work, read } = open({ isRoot: false })
    work(1)
    read()
    tool.end('sudo: a password is required')
    expect(codes(read())).toEqual(['ERR_PROBE_UNAVAILABLE'])
    expect(read(600)).toEqual({ readings: [], problems: [] })
  })

  test('a tool that goes silent is an absent domain, and started again', () => {
    const { tool, work, read } = open()
    work(1)
    read()
    for (let second = 0; second < 5; second += 1) expect(read(1).problems).toEqual([])
    const silent = read(1)
    expect(silent.readings).toEqual([])
    expect(silent.problems).toMatchObject([{ code: 'ERR_PROBE_READ', gap: 1 }])
    expect(tool.running).toBe(0)
    read(1)
    expect(tool.running).toBe(1)
    work(1)
    expect(energies(read())['cpu']).toBe(16)
  })

  test('a tool that never says a word is given up', async () => {
    const { probe, tool, clock, read } = open()
    clock.advance(120)
    expect(tool.running).toBe(0)
    expect(codes(read())).toEqual(['ERR_PROBE_UNAVAILABLE'])
    await expect(probe.known).resolves.toMatchObject({
      message: 'powermetrics tells nothing: it told nothing for 10 s',
    })
  })

  test.each([
    ['less than nothing', -50],
    ['absurd', 5_000_000],
    ['no number', 'nan'],
  ])('a power that is %s is not counted, and its domain absent', (_, cpu) => {
    const { work, read } = open()
    work(1)
    work(1, { ...apple, cpu_power: cpu })
    const result = read()
    expect(energies(result)).toEqual({ gpu: 4, ane: 1 })
    expect(result.problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: 'cpu', gap: 1 }])
    work(1)
    expect(energies(read())).toEqual({ cpu: 16, gpu: 6, ane: 1.5 })
  })

  test('a processor that draws nothing for ten seconds is a failure; graphics may', () => {
    const { work, read } = open()
    for (let second = 0; second < 9; second += 1) work(1, { cpu_power: 0, gpu_power: 0, ane_power: 0 })
    expect(read().problems).toEqual([])
    work(1, { cpu_power: 0, gpu_power: 0, ane_power: 0 })
    const result = read()
    expect(result.readings.map(({ domain }) => domain)).toEqual(['gpu', 'ane'])
    expect(messages(result)).toContain('0 W for 10 s')
  })

  test('what is not understood is left out and told', () => {
    const { tool, work, read } = open()
    work(1)
    tool.write('<plist version="1.0"><dict><key>elapsed_ns</key></plist>')
    const result = read()
    expect(codes(result)).toEqual(['ERR_PROBE_READ'])
    expect(energies(result)['cpu']).toBe(8)
  })

  test('closing ends the child and any thought of another', () => {
    const { probe, tool, clock, work } = open()
    work(1)
    probe.close?.()
    expect(tool.running).toBe(0)
    clock.advance(600)
    expect(tool.commands).toHaveLength(1)
    expect(clock.waiting).toBe(0)
  })

  test('closing while it is to be started again cancels that', () => {
    const { probe, tool, clock, work } = open()
    work(1)
    tool.end('it ended with status 1')
    probe.close?.()
    clock.advance(600)
    expect(tool.commands).toHaveLength(1)
  })
})

test('a domain that can be told has a reading at once', () => {
  const { work, read } = open()
  work(0.5)
  expect(expectReading(read(), 'ane').probe).toBe('powermetrics')
})
