import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { EmissionsTracker } from '../../src/index.ts'
import { startFakeApi, type FakeApi } from '../fixtures/codecarbon-api/server.ts'
import type { Fields } from '../fixtures/codecarbon-api/store.ts'
import { environmentFor } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const python = process.env['E2E_PYTHON']
const script = fileURLToPath(new URL('python_codecarbon_api.py', import.meta.url))

if (python === undefined) {
  console.log(
    'Skipped: the CodeCarbon API as the Python CodeCarbon uses it. Set E2E_PYTHON to a Python that has the package codecarbon.',
  )
}

/** Some seconds with the same processor, tracked by the Python CodeCarbon. */
async function pythonTracks({ url, store }: FakeApi): Promise<void> {
  const folder = temporaryFolder()
  await promisify(execFile)(python ?? '', [script, url, store.experimentId, store.apiKey], {
    cwd: folder,
    env: environmentFor(folder),
  })
}

async function weTrack({ url, store }: FakeApi): Promise<void> {
  process.env['XDG_STATE_HOME'] = temporaryFolder()
  const tracker = new EmissionsTracker({
    outputMethods: ['api'],
    apiEndpoint: url,
    experimentId: store.experimentId,
    apiKey: store.apiKey,
    apiCallInterval: 1,
    measurePowerSecs: 1.2,
    forceCpuPower: 65,
    logLevel: 'error',
  }).start()
  await new Promise((resolve) => {
    setTimeout(resolve, 4000)
  })
  await tracker.stop()
}

/** Of each field, the JSON type of what was sent. */
const shapeOf = (body: Fields = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, value === null ? 'null' : typeof value]),
  )

const bodiesTo = ({ asked }: FakeApi, wanted: string): Fields[] =>
  asked.flatMap(({ path, body }) => (path === wanted && body !== undefined ? [body] : []))

describe.skipIf(python === undefined)('the CodeCarbon API as the Python CodeCarbon uses it', () => {
  let [theirs, ours] = [] as unknown as [FakeApi, FakeApi]

  beforeEach(async () => {
    ;[theirs, ours] = [await startFakeApi(), await startFakeApi()]
    await pythonTracks(theirs)
    await weTrack(ours)
  }, 60_000)

  it('is what the fake takes, and what we send: the same calls, fields, types and units', () => {
    for (const api of [theirs, ours]) {
      expect(api.asked.map(({ method, path, status }) => [method, path, status])).toEqual([
        ['POST', '/runs', 201],
        ...api.store.emissions.map(() => ['POST', '/emissions', 201]),
      ])
      expect(api.store.emissions.length).toBeGreaterThan(1)
      for (const { headers } of api.asked)
        expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-api-token': api.store.apiKey })
    }

    const [theirRun, ourRun] = [bodiesTo(theirs, '/runs')[0], bodiesTo(ours, '/runs')[0]]
    expect(Object.keys(ourRun ?? {})).toEqual(Object.keys(theirRun ?? {}))
    // The Python client looks up where it is, and has no model where there is no graphics processor.
    const unlike = ['longitude', 'latitude', 'gpu_model']
    const without = (shape: Record<string, string>): object =>
      Object.fromEntries(Object.entries(shape).filter(([name]) => !unlike.includes(name)))
    expect(without(shapeOf(ourRun))).toEqual(without(shapeOf(theirRun)))
    expect(ourRun).toMatchObject({
      cpu_count: theirRun?.['cpu_count'],
      tracking_mode: theirRun?.['tracking_mode'],
      ram_total_size: expect.closeTo(Number(theirRun?.['ram_total_size']), 0) as number,
    })

    const [theirSlice, ourSlice] = [bodiesTo(theirs, '/emissions')[1], bodiesTo(ours, '/emissions')[1]]
    expect(Object.keys(ourSlice ?? {})).toEqual(Object.keys(theirSlice ?? {}))
    expect(without(shapeOf({ ...ourSlice, gpu_utilization_percent: 0 }))).toEqual(
      without(shapeOf(theirSlice)),
    )
    for (const slice of [theirSlice, ourSlice]) {
      const of = (name: string): number => Number(slice?.[name])
      // Energies in kWh are what the powers in watts come to, in about the seconds that are told.
      const seconds = (of('ram_energy') * 3.6e6) / of('ram_power')
      expect(seconds).toBeGreaterThan(0.8)
      expect(seconds).toBeLessThan(2.6)
      expect(of('duration')).toBeLessThan(3)
      expect(of('energy_consumed')).toBeCloseTo(of('cpu_energy') + of('gpu_energy') + of('ram_energy'), 12)
      // kg by kWh of some place of this world, and the rate in kg/s.
      const intensity = of('emissions_sum') / of('energy_consumed')
      expect(intensity).toBeGreaterThan(0.001)
      expect(intensity).toBeLessThan(1.5)
      expect(of('emissions_sum') / of('emissions_rate')).toBeGreaterThan(0.8)
      expect(of('emissions_sum') / of('emissions_rate')).toBeLessThan(2.6)
    }
  })
})
