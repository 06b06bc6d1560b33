import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../src/core/errors.ts'
import type { Probe, ProbeResult } from '../../src/core/probe.ts'
import type { Reading } from '../../src/core/reading.ts'
import { seconds } from '../../src/core/units.ts'

/** A probe on a fake machine that the test holds in its hands. */
export interface ProbeBench {
  readonly probe: Probe
  /** Lets the machine be busy for a time. For hardware counters: at some plausible power. */
  work(seconds: number): void
}

/** The same for a probe that reads a counter of the hardware, which can be moved and can fail. */
export interface CounterProbeBench extends ProbeBench {
  readonly counter: CounterBench
}

/** A hardware counter behind a probe. */
export interface CounterBench {
  /** Name of the domain that it is read for. */
  readonly domain: string
  spend(joules: number): void
  /** Reads fail from now on, until {@link repair}. */
  fail(): void
  repair(): void
}

/** What the bench is to begin with. */
export interface BenchStart {
  /** Energy that the counter has counted before. */
  readonly counterJoules: number
}

/** Makes a bench; some probes open in their own time. */
type Factory<B extends ProbeBench> = (start: BenchStart) => B | Promise<B>

/** Opens a bench, and keeps its time. */
async function open<B extends ProbeBench>(
  factory: Factory<B>,
  counterJoules = 1000,
): Promise<B & { read(passed: number): ProbeResult }> {
  const bench = await factory({ counterJoules })
  let at = 5000
  return {
    ...bench,
    read(passed) {
      at += passed
      return bench.probe.read({ at: seconds(at), resumed: false })
    },
  }
}

/** What every probe keeps to. The factory makes a fresh machine and opens the probe on it; both are gone after the test. */
export function itIsAProbe(name: string, factory: Factory<ProbeBench>): void {
  describe(`${name} is a probe`, () => {
    test('it starts at zero', async () => {
      const { read } = await open(factory)
      const { readings, problems } = read(0)
      expect(problems).toEqual([])
      expect(readings.length).toBeGreaterThan(0)
      for (const { energy, low, high } of readings) expect([energy, low, high]).toEqual([0, 0, 0])
    })

    test('its energies rise with work, never decrease, and lie in their intervals', async () => {
      const { read, work } = await open(factory)
      let before = byDomain(read(0))
      for (let tick = 0; tick < 300; tick += 1) {
        work(1)
        const after = byDomain(read(1))
        for (const [domain, { energy, low, high, dynamic = 0 }] of after) {
          const last = before.get(domain)
          expect(energy).toBeGreaterThan(last?.energy ?? 0)
          expect(low).toBeGreaterThanOrEqual(last?.low ?? 0)
          expect(high).toBeGreaterThanOrEqual(last?.high ?? 0)
          expect(low).toBeLessThanOrEqual(energy)
          expect(high).toBeGreaterThanOrEqual(energy)
          expect(dynamic).toBeGreaterThanOrEqual(last?.dynamic ?? 0)
          expect(dynamic - (last?.dynamic ?? 0)).toBeLessThanOrEqual(energy - (last?.energy ?? 0) + 1e-9)
        }
        before = after
      }
    })

    test('it tells each domain once, names itself, and names only parents that it reads', async () => {
      const { read, work, probe } = await open(factory)
      read(0)
      work(1)
      const { readings } = read(1)
      const domains = readings.map(({ domain }) => domain)
      expect(new Set(domains).size).toBe(domains.length)
      for (const reading of readings) {
        expect(reading.probe).toBe(probe.name)
        if (reading.parent !== undefined) expect(domains).toContain(reading.parent)
      }
    })

    test('being asked twice at one moment changes nothing', async () => {
      const { read, work } = await open(factory)
      read(0)
      work(2)
      const first = read(2)
      expect(read(0)).toEqual(first)
    })

    test('after it is closed, even twice, it gives no readings and no errors', async () => {
      const { read, work, probe } = await open(factory)
      read(0)
      probe.close?.()
      probe.close?.()
      work(1)
      expect(read(1)).toEqual({ readings: [], problems: [] })
    })
  })
}

/** What a probe of a hardware counter keeps to besides. */
export function itIsAProbeOfACounter(name: string, factory: Factory<CounterProbeBench>): void {
  itIsAProbe(name, factory)

  describe(`${name} is a probe of a counter`, () => {
    test('its energy is what was spent, across every wrap of the counter', async () => {
      const { read, counter } = await open(factory)
      read(0)
      let spent = 0
      for (let tick = 0; tick < 1200; tick += 1) {
        counter.spend(700)
        spent += 700
        const { energy } = expectReading(read(1), counter.domain)
        expect(energy).toBeCloseTo(spent, 3)
      }
    })

    test('a failed read is an absent domain and a problem with a code, never 0 J', async () => {
      const { read, counter } = await open(factory)
      read(0)
      counter.spend(50)
      read(1)
      counter.fail()
      const { readings, problems } = read(1)
      expect(readings.map(({ domain }) => domain)).not.toContain(counter.domain)
      const problem = problems.find(({ subject }) => subject === counter.domain)
      expect(errorCodes).toContain(problem?.code)
      expect(problem?.message).not.toBe('')
      expect(problem?.gap).toBe(1)
    })

    test('after a failed read at 200 kJ and one more joule, there is one more joule', async () => {
      const { read, counter } = await open(factory, 200_000)
      read(0)
      counter.fail()
      read(1)
      counter.repair()
      counter.spend(1)
      const { energy, low, high } = expectReading(read(1), counter.domain)
      // Some counters have no whole number for a joule.
      for (const end of [energy, low, high]) expect(end).toBeCloseTo(1, 6)
    })

    test('what was used during failed reads is not lost, and nothing is invented', async () => {
      const { read, counter } = await open(factory)
      read(0)
      counter.spend(30)
      read(1)
      counter.fail()
      for (let tick = 0; tick < 4; tick += 1) {
        counter.spend(10)
        counter.fail()
        read(1)
      }
      counter.repair()
      expect(expectReading(read(1), counter.domain).energy).toBeCloseTo(70, 6)
      expect(expectReading(read(1), counter.domain).energy).toBeCloseTo(70, 6)
    })

    test('it is closed without an error after its counter failed', async () => {
      const { read, counter, probe } = await open(factory)
      read(0)
      counter.fail()
      read(1)
      probe.close?.()
      expect(read(1)).toEqual({ readings: [], problems: [] })
    })
  })
}

const byDomain = ({ readings }: ProbeResult): ReadonlyMap<string, Reading> =>
  new Map(readings.map((reading) => [reading.domain, reading]))

/** The reading of one domain. @throws where there is none */
export function expectReading({ readings, problems }: ProbeResult, domain: string): Reading {
  const reading = readings.find((entry) => entry.domain === domain)
  if (reading === undefined)
    throw new Error(`no reading of ${domain}: ${JSON.stringify({ readings, problems })}`)
  return reading
}
