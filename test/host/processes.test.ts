import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runProgram, startProgram, type Child } from '../fixtures/programs/child.ts'
import { fakeMachine, type FakeMachine } from '../tracker/fake-machine.ts'

/** What Prometheus would see of one process. */
interface Seen {
  readonly pid: number
  /** How many of the two kinds of series it tells. */
  readonly reports: number | undefined
  /** Of the components; `undefined` where it has no such series. */
  readonly joules: number | undefined
  readonly deviceJoules: number | undefined
  readonly text: string
}

interface Tracked {
  readonly child: Child
  look(): Promise<Seen>
}

/** Starts a process that tracks the machine, and whose metrics can be looked at. */
async function track(
  machine: FakeMachine,
  name: string,
  more: Record<string, string> = {},
): Promise<Tracked> {
  const { sysfsPath, procfsPath, hostReporterGroup } = machine.options
  const child = startProgram('tells-of-host.js', [], {
    folder: join(machine.folder, name),
    env: {
      CODECARBON_SYSFS_PATH: sysfsPath,
      CODECARBON_PROCFS_PATH: procfsPath,
      CODECARBON_HOST_REPORTER_GROUP: hostReporterGroup,
      CODECARBON_COUNTRY_ISO_CODE: 'FRA',
      ...more,
    },
  })
  const lines = createInterface({ input: child.process.stdout })[Symbol.asyncIterator]()
  const tracked: Tracked = {
    child,
    async look() {
      child.process.stdin.write('\n')
      const { value } = await lines.next()
      const { pid, body } = JSON.parse(String(value)) as { pid: number; body: string }
      return {
        pid,
        reports: sumOf(body, 'codecarbon_host_reporter{'),
        joules: sumOf(body, 'codecarbon_component_energy_joules_total{'),
        deviceJoules: sumOf(body, 'hw_energy_joules_total{'),
        text: body,
      }
    },
  }
  await tracked.look()
  return tracked
}

function sumOf(text: string, beginning: string): number | undefined {
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(beginning))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))))
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0)
}

/** A counter that stands still for seconds is taken for dead: lets it move by next to nothing. */
function keepMoving(machine: FakeMachine): void {
  const timer = setInterval(() => {
    machine.use(1e-6)
    machine.use(1e-6, 'dram')
  }, 50)
  onTestFinished(() => {
    clearInterval(timer)
  })
}

const about = (joules: number): number => expect.closeTo(joules, 1) as number

describe('several processes that track one machine', () => {
  it(
    'tell it once between them, also when the one that does is killed, and then when the next one ends',
    { timeout: 60_000 },
    async () => {
      const machine = fakeMachine()
      const first = await track(machine, 'first')
      const second = await track(machine, 'second')
      const third = await track(machine, 'third')
      keepMoving(machine)

      machine.use(100)
      const told = async (tracked: Tracked, joules: number): Promise<void> => {
        await expect
          .poll(() => tracked.look(), { timeout: 10_000 })
          .toMatchObject({ reports: 2, joules: about(joules), deviceJoules: about(joules) })
      }
      await told(first, 100)
      for (const other of [second, third]) {
        const seen = await other.look()
        expect(seen).toMatchObject({ reports: 0, joules: undefined, deviceJoules: undefined })
        expect(seen.text).toContain('codecarbon_run_info{')
        expect(seen.text).not.toContain('codecarbon_emissions_grams_total{')
        expect(seen.text).not.toMatch(/^codecarbon_(?:component|unattributed|water)\w*\{/m)
      }

      first.child.process.kill('SIGKILL')
      const reporters = async (): Promise<Tracked[]> => {
        const seen = await Promise.all([second, third].map(async (one) => [one, await one.look()] as const))
        return seen.filter(([, { reports }]) => reports === 2).map(([one]) => one)
      }
      await expect.poll(async () => (await reporters()).length, { timeout: 10_000 }).toBe(1)
      const [next] = await reporters()
      const last = next === second ? third : second
      await told(next ?? second, 0)
      machine.use(30)
      await told(next ?? second, 30)
      expect((await last.look()).joules).toBeUndefined()

      next?.child.process.stdin.end()
      await next?.child.ended
      await expect.poll(async () => (await last.look()).reports, { timeout: 10_000 }).toBe(2)
      machine.use(7)
      await told(last, 7)
    },
  )

  it(
    'tell it each, where each is to report always, and none where none is to',
    { timeout: 30_000 },
    async () => {
      const machine = fakeMachine()
      const [always, too, never] = await Promise.all([
        track(machine, 'always', { CODECARBON_HOST_REPORTER: 'always' }),
        track(machine, 'too', { CODECARBON_HOST_REPORTER: 'always' }),
        track(machine, 'never', { CODECARBON_HOST_REPORTER: 'never' }),
      ])
      expect((await always.look()).deviceJoules).toBe(0)
      expect((await too.look()).deviceJoules).toBe(0)
      expect(await never.look()).toMatchObject({ reports: 0, joules: undefined, deviceJoules: undefined })
    },
  )

  it('tell their own part of it each, where they track processes', { timeout: 30_000 }, async () => {
    const machine = fakeMachine()
    const mode = { CODECARBON_TRACKING_MODE: 'process', CODECARBON_PROCFS_PATH: '/proc' }
    const first = await track(machine, 'first', mode)
    const second = await track(machine, 'second', mode)
    keepMoving(machine)
    machine.use(1000)
    await expect.poll(async () => (await first.look()).deviceJoules, { timeout: 10_000 }).toBeCloseTo(1000, 1)
    const seen = await second.look()
    expect(seen).toMatchObject({ reports: 0, deviceJoules: undefined })
    expect(seen.text).toContain('codecarbon_process_energy_joules_total{')
    expect(seen.text).not.toContain('codecarbon_host_reporter{series="components"}')
  })

  it('tell it once, where they are the workers of a cluster', { timeout: 30_000 }, async () => {
    const machine = fakeMachine()
    const { sysfsPath, procfsPath, hostReporterGroup } = machine.options
    const { stdout, code } = await runProgram('cluster-tells-of-host.js', [], {
      folder: machine.folder,
      env: {
        CODECARBON_SYSFS_PATH: sysfsPath,
        CODECARBON_PROCFS_PATH: procfsPath,
        CODECARBON_HOST_REPORTER_GROUP: hostReporterGroup,
      },
    })
    expect(code).toBe(0)
    expect((JSON.parse(stdout) as number[]).toSorted((a, b) => a - b)).toEqual([0, 0, 2])
  })
})
