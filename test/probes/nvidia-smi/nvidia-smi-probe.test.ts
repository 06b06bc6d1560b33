import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ProbeUnavailable } from '../../../src/core/errors.ts'
import type { ProbeResult } from '../../../src/core/probe.ts'
import {
  createNvidiaSmiProbe,
  type NvidiaSmiOptions,
  type NvidiaSmiProbe,
} from '../../../src/probes/nvidia-smi/nvidia-smi-probe.ts'
import { parseSmiRow } from '../../../src/probes/nvidia-smi/smi-row.ts'
import { findSmi, type SmiStreamOptions } from '../../../src/probes/nvidia-smi/smi-stream.ts'
import { expectReading, itIsAProbe } from '../../contract/probe.ts'
import { fakeClock, type FakeClock } from '../../fixtures/fake-clock.ts'
import { fakeSysfs } from '../../fixtures/fake-sysfs.ts'
import { domainOf, uuidOf } from '../../fixtures/nvml/rig.ts'
import { documented } from '../../fixtures/nvml/smi-output.ts'

interface Bench {
  readonly probe: NvidiaSmiProbe
  readonly clock: FakeClock
  /** Lets time pass, in which the program writes a round every half second. */
  run(seconds: number): void
  read(): ProbeResult
  show(index: number, cells: Partial<Shown>): void
  end(reason: string): void
  readonly isClosed: () => boolean
}

/** Cells of a row. */
interface Shown {
  readonly power: string
  readonly use: string
  readonly name: string
}

/** Cards that nvidia-smi shows, written by the test. */
function open(cards: number, options: NvidiaSmiOptions = {}, first: Partial<Shown> = {}): Bench {
  const clock = fakeClock({ start: 5000 })
  const usual: Shown = { power: '60.00', use: '0', name: 'NVIDIA A100-SXM4-80GB' }
  const shown = Array.from({ length: cards }, () => ({ ...usual, ...first }))
  let stream: SmiStreamOptions | undefined
  let isClosed = false
  const probe = createNvidiaSmiProbe({
    program: 'nvidia-smi',
    environment: {},
    clock,
    run(given) {
      stream = given
      return { close: () => (isClosed = true) }
    },
    ...options,
  })
  const round = (): void => {
    for (const [index, { power, use, name }] of shown.entries()) {
      const row = parseSmiRow(
        `${index}, ${uuidOf(index)}, ${name}, ${power}, 400.00, ${use}, 0, 81920, 00000000:07:00.0, 550.54.15`,
      )
      if (row !== undefined) stream?.onRow(row)
    }
  }
  round()
  round()
  return {
    probe,
    clock,
    run(time) {
      for (let passed = 0; passed < time; passed += 0.5) {
        clock.advance(0.5)
        round()
      }
    },
    read: () => probe.read({ at: clock.now().monotonic, resumed: false }),
    show: (index, cells) => void Object.assign(shown[index]!, cells),
    end: (reason) => stream?.onEnd(reason),
    isClosed: () => isClosed,
  }
}

const domains = ({ readings }: ProbeResult): readonly string[] => readings.map(({ domain }) => domain)
const energyOf = (result: ProbeResult, index = 0): number => expectReading(result, domainOf(index)).energy

itIsAProbe('nvidia-smi', () => {
  const { probe, run } = open(2)
  return { probe, work: run }
})

describe('nvidia-smi', () => {
  test('shows power, which is integrated', () => {
    const { run, read, show } = open(2)
    show(1, { power: '100.00' })
    run(0.5)
    const before = read()
    run(60)
    expect(energyOf(read()) - energyOf(before)).toBeCloseTo(3600, 6)
    expect(energyOf(read(), 1) - energyOf(before, 1)).toBeCloseTo(6000, 6)
    expect(expectReading(read(), domainOf(0)).method).toBe('integrated')
  })

  test('shows the cards that were chosen', () => {
    expect(domains(open(3, { gpuIds: [2] }).read())).toEqual([domainOf(2)])
    expect(open(3, { environment: { CUDA_VISIBLE_DEVICES: '0,1' } }).probe.devices()).toHaveLength(2)
    expect(open(1, { gpuIds: [4] }).read().problems).toMatchObject([{ subject: 'gpu_ids' }])
  })

  test('without power, but with use, gives an estimate of a card that is known', () => {
    const { run, read } = open(1, {}, { power: '[N/A]', use: '50' })
    const before = energyOf(read())
    run(10)
    const { energy, low, high, method } = expectReading(read(), domainOf(0))
    expect(method).toBe('estimated')
    expect(energy - before).toBeCloseTo(10 * (55 + (400 - 55) / 2), 6)
    expect(low).toBeLessThan(energy)
    expect(high).toBeGreaterThan(energy)
  })

  test.each([
    [{ power: '[N/A]', name: 'NVIDIA GeForce MX150' }, 'no card of this name is known'],
    [{ power: '[N/A]', use: '[N/A]' }, 'neither its power nor how busy it is'],
  ])('of a card that it tells too little of (%o) leaves it unmeasured, and says so once', (cells, reason) => {
    const { probe, run, read } = open(1, {}, cells)
    expect(probe.devices()[0]).toMatchObject({ method: undefined })
    expect(probe.devices()[0]?.unmeasured).toContain(reason)
    expect(read()).toMatchObject({
      readings: [],
      problems: [{ code: 'ERR_UNMEASURED', subject: domainOf(0) }],
    })
    run(1)
    expect(read()).toEqual({ readings: [], problems: [] })
  })

  test('that shows no power for a while is a gap, and goes on without a jump', () => {
    const { run, read, show } = open(1)
    run(10)
    const before = energyOf(read())
    show(0, { power: '[Unknown Error]' })
    run(20)
    const { readings, problems } = read()
    expect(readings).toEqual([])
    expect(problems).toMatchObject([{ code: 'ERR_PROBE_READ', gap: 20 }])
    show(0, { power: '60.00' })
    run(0.5)
    expect(energyOf(read())).toBe(before)
    run(10)
    expect(energyOf(read()) - before).toBeCloseTo(600, 6)
  })

  test.each(['0.00', '999999.00'])('that shows %s W shows no power', (power) => {
    const { run, read, show } = open(1)
    run(1)
    show(0, { power })
    run(1)
    expect(read().problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: domainOf(0) }])
  })

  test('that ends is told with a gap, and goes on when it has been started again', () => {
    const { run, read, end, clock } = open(1)
    run(10)
    const before = energyOf(read())
    end('nvidia-smi ended with status 9')
    clock.advance(60)
    expect(read().problems).toMatchObject([
      { code: 'ERR_PROBE_READ', message: expect.stringContaining('status 9') as string, gap: 60 },
    ])
    run(10)
    expect(energyOf(read()) - before).toBeCloseTo(9.5 * 60, 6)
  })

  test('that cannot be started at all is a reason', () => {
    const { read, end } = open(0)
    end('nvidia-smi ended with status 9')
    expect(read()).toMatchObject({
      readings: [],
      problems: [{ code: 'ERR_PROBE_UNAVAILABLE', subject: 'nvidia-smi' }],
    })
  })

  test('whose rows wait in a blocked event loop loses nothing', () => {
    const { run, read, clock } = open(1)
    run(10)
    const before = energyOf(read())
    clock.advance(20)
    expect(read().problems).toEqual([])
    run(0.5)
    expect(energyOf(read()) - before).toBeCloseTo(20.5 * 60, 6)
  })

  test('that hangs is told', () => {
    const { run, read, clock } = open(1)
    run(1)
    read()
    clock.advance(60)
    expect(read().problems).toMatchObject([
      { message: expect.stringContaining('has not shown it for 60 s') as string },
    ])
  })

  test('is ended when the probe is closed', () => {
    const { probe, isClosed } = open(1)
    probe.close?.()
    expect(isClosed()).toBe(true)
  })

  test('that is not there is a reason', () => {
    expect(() => createNvidiaSmiProbe({ environment: { PATH: '/nowhere' } })).toThrow(ProbeUnavailable)
  })
})

// Whether a process lives is seen in procfs.
describe.skipIf(process.platform !== 'linux')('the process nvidia-smi', () => {
  const programs = fileURLToPath(new URL('../../fixtures/programs/', import.meta.url))

  /** A folder with a program of that name, and what it writes. */
  function install(): { readonly program: string; readonly environment: Record<string, string> } {
    const { path } = fakeSysfs()
    const rows = join(path, 'rows.csv')
    writeFileSync(rows, `${documented.header}\n${documented.a100}\n`)
    const program = join(path, 'nvidia-smi')
    writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${join(programs, 'nvidia-smi.js')} "$@"\n`)
    chmodSync(program, 0o755)
    return { program, environment: { SMI_ROWS: rows } }
  }

  /** Whether a process goes on that was started with these rows. */
  const livesWith = (rows: string): boolean =>
    readdirSync('/proc').some((entry) => {
      try {
        return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/environ`, 'latin1').includes(rows)
      } catch {
        // It ended while we looked, or is somebody else's.
        return false
      }
    })

  const untilEnded = async (rows: string): Promise<boolean> => {
    for (let turn = 0; turn < 300 && livesWith(rows); turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 10))
    return !livesWith(rows)
  }

  test('is found in PATH', () => {
    const { program } = install()
    expect(findSmi({ PATH: `/nowhere:${join(program, '..')}` })).toBe(program)
  })

  test('is one, goes on writing, and is killed by close', async () => {
    const { program, environment } = install()
    Object.assign(process.env, environment)
    onTestFinished(() => void delete process.env['SMI_ROWS'])
    const probe = createNvidiaSmiProbe({ program, environment: {} })
    for (let turn = 0; turn < 500 && probe.devices().length === 0; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(probe.devices()).toMatchObject([{ name: 'NVIDIA A100-SXM4-40GB', method: 'integrated' }])
    expect(livesWith(environment['SMI_ROWS']!)).toBe(true)
    probe.close?.()
    expect(await untilEnded(environment['SMI_ROWS']!)).toBe(true)
  })

  test.each(['killed', 'ended'])(
    'neither outlives a program that is %s, nor keeps it alive',
    async (doing) => {
      const { program, environment } = install()
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [join(programs, 'reads-smi.js'), program, doing],
        {
          encoding: 'utf8',
          env: { ...process.env, ...environment },
        },
      )
      expect(stderr).toBe('')
      expect(stdout).toBe(doing === 'killed' ? 'NVIDIA A100-SXM4-40GB\n' : '')
      expect(await untilEnded(environment['SMI_ROWS']!)).toBe(true)
    },
  )
})
