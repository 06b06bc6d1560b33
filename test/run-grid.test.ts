import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadOptions } from '../src/config/load-options.ts'
import { fromCode } from '../src/config/option-source.ts'
import type { EmissionsData } from '../src/core/emissions-data.ts'
import type { Fetch } from '../src/http/http-request.ts'
import { carbonIntensity } from '../src/index.ts'
import { startRun, type Started } from '../src/start.ts'
import { fakeClock, type FakeClock } from './fixtures/fake-clock.ts'
import { temporaryFolder } from './fixtures/programs/temporary-folder.ts'
import { fakeMachine, type FakeMachine } from './tracker/fake-machine.ts'

let state: string

beforeEach(() => {
  state = temporaryFolder()
  vi.stubEnv('XDG_STATE_HOME', state)
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(state, { recursive: true, force: true })
})

interface Bench {
  readonly machine: FakeMachine
  readonly clock: FakeClock
  readonly started: Started
  readonly asked: string[]
  readonly messages: string[]
  end(): EmissionsData
}

/** A run in France whose service answers with these figures in turn; with none of them it hangs. */
function begin(figures: readonly number[], options: object = {}): Bench {
  const machine = fakeMachine()
  const clock = fakeClock({ start: 1000 })
  const asked: string[] = []
  const messages: string[] = []
  const fetch: Fetch = async (url) => {
    asked.push(url)
    const grams = figures[asked.length - 1]
    if (grams === undefined) return new Promise(() => undefined)
    const at = new Date(clock.now().wallMs).toISOString()
    const body = JSON.stringify({
      zone: 'FR',
      carbonIntensity: grams,
      datetime: at,
      updatedAt: at,
      isEstimated: false,
    })
    return { status: 200, headers: new Headers(), body: new Blob([body]).stream() as never }
  }
  const loaded = loadOptions(
    fromCode({
      ...machine.options,
      outputMethods: [],
      measurePowerSecs: 60,
      electricitymapsApiToken: 'sk-secret',
      ...options,
    }),
    { environment: {}, home: undefined, workingDirectory: undefined },
  )
  const started = startRun(loaded.options, {
    log: (_, message) => {
      messages.push(message)
    },
    clock,
    fetch,
  })
  return { machine, clock, started, asked, messages, end: () => started.run.end() }
}

/** Lets answers that are on their way arrive. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

const france = carbonIntensity({ countryIsoCode: 'FRA' }).gramsPerKwh
const kwh = (joules: number): number => joules / 3.6e6

describe('the place of a run', () => {
  it('is found by its time zone where nobody says it', async () => {
    vi.stubEnv('TZ', 'Europe/Paris')
    const { end } = begin([], {
      countryIsoCode: undefined,
      electricitymapsApiToken: undefined,
      // Not by the name of the machine that this test runs on.
      locateBy: ['time-zone'],
    })
    await settle()
    expect(end()).toMatchObject({
      countryIsoCode: 'FRA',
      place: { foundBy: 'time zone' },
      intensity: { gramsPerKwh: france, scope: 'country' },
    })
  })

  it('is not looked for in ways that are not named, nor where a wrong one is given', async () => {
    vi.stubEnv('TZ', 'Europe/Paris')
    for (const options of [{ countryIsoCode: undefined, locateBy: [] }, { countryIsoCode: 'FRX' }]) {
      const { asked, end } = begin([], { ...options, electricitymapsApiToken: undefined })
      await settle()
      expect(end()).toMatchObject({ countryIsoCode: undefined, place: { foundBy: 'none' } })
      expect(asked).toEqual([])
    }
  })

  it('is asked of clouds and of the network only where that is named, and never offline', async () => {
    const nobody = { countryIsoCode: undefined, electricitymapsApiToken: undefined }
    const quiet = begin([], nobody)
    await settle()
    quiet.end()
    expect(quiet.asked).toEqual([])
    const asking = begin([], { ...nobody, locateBy: ['cloud'] })
    await settle()
    asking.end()
    expect(asking.asked.length).toBeGreaterThan(0)
    const offline = begin([], { ...nobody, locateBy: ['cloud', 'ip'], offline: true })
    await settle()
    offline.end()
    expect(offline.asked).toEqual([])
  })
})

describe('the carbon intensity of a run with a live source', () => {
  it('is that of each moment', async () => {
    const { machine, clock, started, asked, end } = begin([100, 300])
    await settle()
    machine.use(3600)
    started.run.record()
    while (asked.length < 2) clock.advance(1)
    await settle()
    machine.use(3600)
    const data = end()
    expect(asked).toHaveLength(2)
    expect(asked[0]).toContain('zone=FR')
    expect((data.emissions ?? NaN) * 1000).toBeCloseTo(kwh(3600) * 100 + kwh(3600) * 300, 9)
    expect(data.intensity).toMatchObject({
      gramsPerKwh: 200,
      source: expect.stringContaining('Electricity Maps') as string,
    })
  })

  it('is the yearly one until there is a live one, and the record names both', async () => {
    const { machine, clock, started, end } = begin([100])
    machine.use(3600)
    clock.advance(0.5)
    started.run.record()
    await settle()
    machine.use(3600)
    clock.advance(0.5)
    const { intensity, emissions } = end()
    expect((emissions ?? NaN) * 1000).toBeCloseTo(kwh(3600) * france + kwh(3600) * 100, 9)
    expect(intensity).toMatchObject({
      quality: 'mixed',
      gramsPerKwh: expect.closeTo((france + 100) / 2, 6) as number,
    })
    expect(intensity.source).toMatch(/Ember.* and .*Electricity Maps/)
  })

  it('is told of a task by what its own energy was counted with', async () => {
    const { machine, clock, started, end } = begin([100])
    machine.use(3600)
    clock.advance(0.5)
    started.run.record()
    await settle()
    const task = started.run.beginTask('late')
    machine.use(3600)
    clock.advance(0.5)
    const record = started.run.endTask(task)
    expect(record?.intensity).toMatchObject({ gramsPerKwh: 100, quality: 'ok' })
    expect(record?.intensity.source).not.toContain('Ember')
    expect(end().intensity.quality).toBe('mixed')
  })

  it('is the yearly one where the service hangs, and nothing waits for it', async () => {
    const { machine, clock, end } = begin([])
    machine.use(3600)
    clock.advance(10)
    await settle()
    const { intensity, problems } = end()
    expect(intensity).toMatchObject({ gramsPerKwh: france, year: 2024 })
    expect(problems).toContainEqual(expect.objectContaining({ code: 'ERR_INTENSITY_UNAVAILABLE' }))
    expect(JSON.stringify(problems)).not.toContain('sk-secret')
  })

  it('is not asked for where the run is offline, or nobody named a service', async () => {
    for (const options of [
      { offline: true },
      { electricitymapsApiToken: undefined },
      { intensitySource: 'table' },
    ]) {
      const { asked, end } = begin([100], options)
      await settle()
      expect(end().intensity.gramsPerKwh).toBe(france)
      expect(asked).toEqual([])
    }
  })

  it('is that of the zone that is given, and the record names it', async () => {
    const { machine, clock, started, asked, end } = begin([100], {
      countryIsoCode: 'DEU',
      electricitymapsZone: 'fr',
    })
    machine.use(36)
    clock.advance(0.5)
    started.run.record()
    await settle()
    expect(asked[0]).toContain('zone=FR')
    machine.use(36)
    clock.advance(0.5)
    const { intensity, problems, countryIsoCode } = end()
    expect(intensity.source).toMatch(
      /^Electricity Maps, zone FR, by @tgwf\/co2 \S+ and Electricity Maps, zone FR$/,
    )
    expect(intensity).toMatchObject({ scope: 'zone', quality: 'mixed' })
    expect(countryIsoCode).toBe('DEU')
    expect(problems).toEqual([expect.objectContaining({ subject: 'electricitymapsZone' })])
  })

  it('of a service for another country is refused, with a sentence', () => {
    const { messages, end } = begin([100], { intensitySource: 'uk' })
    expect(end().intensity.gramsPerKwh).toBe(france)
    expect(messages.join('\n')).toMatch(/intensity_source uk: only for Great Britain/)
  })
})
