import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { HostReporter } from '../../src/core/host-share.ts'
import { takeFileSeat } from '../../src/host/file-seat.ts'
import { createHostReporter, type HostReporterOptions } from '../../src/host/host-reporter.ts'
import type { Seat } from '../../src/host/seat.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

interface Candidate extends HostReporter {
  readonly notices: string[]
  readonly problems: string[]
}

function candidate(group: string, options: Partial<HostReporterOptions> = {}): Candidate {
  const notices: string[] = []
  const problems: string[] = []
  const reporter = createHostReporter({
    mode: 'auto',
    group,
    series: ['components', 'devices'],
    clock: systemClock,
    onChange: () => undefined,
    onNotice: (message) => notices.push(message),
    onProblem: ({ code, message }) => problems.push(`${code} ${message}`),
    ...options,
  })
  onTestFinished(() => {
    reporter.close()
  })
  return { ...reporter, notices, problems }
}

const all = (reporter: HostReporter): boolean[] =>
  (['devices', 'components'] as const).map((series) => reporter.reports(series))

describe('the reporter of a machine', () => {
  it('is the first that asks, at once, and the next one when it has ended', { timeout: 20_000 }, async () => {
    const group = temporaryFolder()
    const first = candidate(group)
    expect(all(first)).toEqual([true, true])
    const second = candidate(group)
    expect(all(second)).toEqual([false, false])
    await expect.poll(() => second.notices.length).toBe(1)
    expect(second.notices[0]).toContain(
      `process ${process.pid}, this one, tells the series of the whole machine already`,
    )
    first.close()
    await expect.poll(() => all(second), { timeout: 10_000 }).toEqual([true, true])
    expect(second.notices[1]).toContain('this run tells the series of the whole machine from now on')
    expect(first.notices).toEqual([])
    expect([...first.problems, ...second.problems]).toEqual([])
  })

  it('is one of each group', () => {
    const group = temporaryFolder()
    expect(all(candidate(`${group} a`))).toEqual([true, true])
    expect(all(candidate(`${group} b`))).toEqual([true, true])
    expect(all(candidate(`${group} a`))).toEqual([false, false])
  })

  it('is of the devices alone where a run tracks a process, and leaves the rest to another', () => {
    const group = temporaryFolder()
    const ofProcess = candidate(group, { series: ['devices'] })
    const ofMachine = candidate(group)
    expect(ofProcess.reports('devices')).toBe(true)
    expect(all(ofMachine)).toEqual([false, true])
  })

  it('may be told to be one always, which others see, or never, which they do not', () => {
    const group = temporaryFolder()
    expect(all(candidate(group, { mode: 'never' }))).toEqual([false, false])
    expect(all(candidate(group, { mode: 'always' }))).toEqual([true, true])
    expect(all(candidate(group, { mode: 'always' }))).toEqual([true, true])
    expect(all(candidate(group))).toEqual([false, false])
  })

  it('reports where nobody can say who does, and says so once', () => {
    const reporter = candidate(temporaryFolder(), {
      takeSeat: (options) => takeFileSeat(options, '/proc/nowhere'),
    })
    expect(all(reporter)).toEqual([true, true])
    expect(reporter.problems).toEqual([
      expect.stringMatching(
        /^ERR_REPORTER_UNKNOWN host reporter: whether another run .* cannot be found out \(.*nowhere.*\), so this run does/,
      ),
    ])
  })
})

const seatOptions = {
  name: 'seat',
  clock: fakeClock(),
  onChange: () => undefined,
  onHolder: () => undefined,
  onUnusable: () => undefined,
}

describe.runIf(process.platform === 'linux')('the seat that the kernel keeps', () => {
  /** Abstract names of this kernel with this group in them. */
  const namesOf = (group: string): string[] =>
    readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => line.split(' ').at(-1) ?? '')
      .filter((name) => name.includes(group))

  it('has a name that no version of Node makes another one of: it fills its place', () => {
    const group = `g${process.pid}`
    candidate(group)
    expect(namesOf(group).map((name) => name.length)).toEqual([108, 108])
    expect(namesOf(group).toSorted()[0]).toMatch(new RegExp(`^@codecarbon-reporter-components-${group}\\.+$`))
  })

  it('lets go of a guest that talks', async () => {
    const group = `talk${process.pid}`
    const reporter = candidate(group)
    const [name = ''] = namesOf(group)
    const guest = connect({ path: `\0${name.slice(1)}` })
    const [greeting] = (await once(guest, 'data')) as [Buffer]
    expect(greeting.toString()).toBe(`${process.pid}\n`)
    guest.write('x'.repeat(100_000))
    await new Promise<void>((resolve) => guest.on('error', () => undefined).on('close', resolve))
    expect(all(reporter)).toEqual([true, true])
  })
})

describe('the seat that is a file', () => {
  const take = (
    folder: string,
    clock = fakeClock(),
  ): { seat: Seat; changes: boolean[]; holders: number[] } => {
    const changes: boolean[] = []
    const holders: number[] = []
    const seat: Seat = takeFileSeat(
      {
        ...seatOptions,
        clock,
        onChange: () => changes.push(seat.isOurs),
        onHolder: (pid) => holders.push(pid),
      },
      folder,
    )
    return { seat, changes, holders }
  }

  it('is the first one that asks for, and the next one a few seconds after it was left', () => {
    const folder = join(temporaryFolder(), 'not', 'there')
    const clock = fakeClock()
    const first = take(folder, clock)
    const second = take(folder, clock)
    expect([first.seat.isOurs, second.seat.isOurs]).toEqual([true, false])
    expect(second.holders).toEqual([process.pid])
    clock.advance(60)
    expect([first.seat.isOurs, second.seat.isOurs]).toEqual([true, false])
    first.seat.close()
    expect(second.seat.isOurs).toBe(false)
    clock.advance(5)
    expect(second.seat.isOurs).toBe(true)
    expect(second.changes).toEqual([true])
    expect(second.holders).toEqual([process.pid])
    second.seat.close()
    expect(clock.waiting).toBe(0)
  })
})
