import { describe, expect, test } from 'vitest'
import { ProbeUnavailable } from '../../src/core/errors.ts'
import { ProblemLog } from '../../src/core/problem.ts'
import { seconds, watts } from '../../src/core/units.ts'
import { createPolledProbe, type AskPower, type PowerAnswer } from '../../src/probes/polled-probe.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'

/** A meter that answers at once what the test says. */
function openPolled(start = 1000) {
  const clock = fakeClock({ start })
  let answer: PowerAnswer | Error = new Map([['host-test', watts(100)]])
  let asked = 0
  let calledOff = 0
  const ask: AskPower = (done) => {
    asked += 1
    done(answer)
    return () => {
      calledOff += 1
    }
  }
  const probe = createPolledProbe({
    name: 'test',
    ask,
    every: seconds(10),
    component: 'host',
    kind: 'other',
    maxPower: watts(1000),
    neverIdle: true,
    clock,
  })
  clock.advance(0)
  return {
    probe,
    clock,
    say(power: number | Error) {
      answer = power instanceof Error ? power : new Map([['host-test', watts(power)]])
    },
    read(passed: number, resumed = false) {
      clock.advance(passed)
      return probe.read({ at: clock.now().monotonic, resumed })
    },
    get asked() {
      return asked
    },
    get calledOff() {
      return calledOff
    },
  }
}

itIsAProbe('a polled probe', () => {
  const { probe, clock } = openPolled(5000)
  return {
    probe,
    work: (time) => {
      clock.advance(time)
    },
  }
})

describe('a meter that is asked in the background', () => {
  test('a failed question is one problem, however often the meter is read until the next one', () => {
    const { probe, say, read } = openPolled()
    say(new ProbeUnavailable('the connection was refused', 'see redfish_url'))
    read(10)
    const log = new ProblemLog()
    for (let second = 0; second < 8; second += 1) for (const problem of read(5).problems) log.add(problem)
    expect(log.list()).toMatchObject([
      {
        subject: 'host-test',
        message: 'test: the connection was refused; see redfish_url',
        count: 1,
        gap: 20,
      },
    ])
    expect(probe.refusal()).toEqual({
      probe: 'test',
      reason: 'the connection was refused',
      remedy: 'see redfish_url',
    })
    say(100)
    read(600)
    expect(probe.refusal()).toBeUndefined()
  })

  test('each power holds until the next answer', () => {
    const { read, say } = openPolled()
    read(0)
    expect(expectReading(read(4), 'host-test')).toMatchObject({ energy: 400, method: 'integrated' })
    say(200)
    // 6 s more of the first answer, then 9 s of the second.
    expect(expectReading(read(15), 'host-test').energy).toBe(1000 + 9 * 200)
  })

  test('it is asked every ten seconds, however often it is read', () => {
    const bench = openPolled()
    for (let tick = 0; tick < 1000; tick += 1) bench.read(0.1)
    expect(bench.asked).toBeLessThanOrEqual(11)
  })

  test('an answer stands for thirty seconds; later there is a gap, and no jump after it', () => {
    const { read, say } = openPolled()
    read(0)
    say(new Error('no route'))
    expect(expectReading(read(30), 'host-test').energy).toBe(3000)
    const stale = read(10)
    expect(stale).toMatchObject({
      readings: [],
      problems: [{ code: 'ERR_PROBE_READ', subject: 'host-test', message: 'test: no route', gap: 10 }],
    })
    say(100)
    let back = read(1)
    while (back.readings.length === 0) back = read(1)
    expect(expectReading(back, 'host-test').energy).toBeLessThanOrEqual(3100)
    expect(back.problems).toEqual([])
  })

  test('one that does not answer is asked ever more seldom', () => {
    const bench = openPolled()
    bench.say(new Error('no route'))
    bench.read(3600)
    expect(bench.asked).toBeLessThan(15)
    bench.say(50)
    expect(bench.read(600).readings).toHaveLength(1)
  })

  test.each([0, -1, 5000, Number.NaN])('%d W is no figure of a machine that is on', (power) => {
    const { read, say } = openPolled()
    read(0)
    say(power)
    expect(read(60).problems).toMatchObject([{ message: expect.stringContaining('which cannot be') }])
  })

  test('after a sleep of the machine the last answer holds no longer', () => {
    const { read } = openPolled()
    read(0)
    read(5)
    const woken = read(1, true)
    expect(woken.readings).toEqual([])
    expect(expectReading(read(5), 'host-test').energy).toBe(500 + 100)
  })

  test('before the first answer there is no reading, and after a while a reason', () => {
    const clock = fakeClock()
    const probe = createPolledProbe({
      name: 'silent',
      ask: () => () => undefined,
      every: seconds(10),
      component: 'host',
      kind: 'other',
      maxPower: watts(1000),
      neverIdle: true,
      clock,
    })
    expect(probe.read({ at: clock.now().monotonic, resumed: false })).toEqual({ readings: [], problems: [] })
    clock.advance(31)
    expect(probe.read({ at: clock.now().monotonic, resumed: false }).problems).toMatchObject([
      { code: 'ERR_PROBE_READ', subject: 'silent', gap: 31 },
    ])
    probe.close?.()
    expect(clock.waiting).toBe(0)
  })

  test('closed, it asks no more and calls off what is under way', () => {
    const bench = openPolled()
    bench.probe.close?.()
    bench.clock.advance(100)
    expect([bench.asked, bench.calledOff, bench.clock.waiting]).toEqual([1, 1, 0])
  })
})
