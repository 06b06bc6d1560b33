import { describe, expect, it } from 'vitest'
import { startFakeApi, type FakeApi } from '../fixtures/codecarbon-api/server.ts'

const unknownId = '40088f1a-d28e-4980-8d80-bf5600056a14'

async function ask(
  api: FakeApi,
  path: string,
  body?: object,
  key: string = api.store.apiKey,
): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${api.url}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', 'x-api-token': key },
  })
  return { status: response.status, answer: await response.json() }
}

const runBody = (experimentId: string): object => ({
  timestamp: '2026-01-01T10:00:00.250+02:00',
  experiment_id: experimentId,
  os: 'Linux',
  python_version: '3.11.7',
  codecarbon_version: '3.3.2',
  cpu_count: 8,
  cpu_model: null,
  gpu_count: 0,
  gpu_model: null,
  longitude: null,
  latitude: 48.9,
  region: null,
  provider: null,
  ram_total_size: 15.5,
  tracking_mode: 'machine',
})

const emissionBody = (runId: string, changes: object = {}): object => ({
  timestamp: '2026-01-01T10:00:10Z',
  run_id: runId,
  duration: 10,
  ...{ emissions_sum: 0.1, emissions_rate: 0.01, energy_consumed: 0.5 },
  ...{ cpu_power: 40, gpu_power: 0, ram_power: 10, cpu_energy: 0.4, gpu_energy: 0, ram_energy: 0.1 },
  ...changes,
})

async function runIn(api: FakeApi): Promise<string> {
  const { answer } = await ask(api, '/runs', runBody(api.store.experimentId))
  return (answer as { id: string }).id
}

describe('the fake of the CodeCarbon API', () => {
  it('takes a run and its emissions, and gives them back newest first, by pages, in UTC without a zone', async () => {
    const api = await startFakeApi()
    const id = await runIn(api)
    for (const second of [10, 20, 30])
      expect(
        await ask(api, '/emissions', emissionBody(id, { timestamp: `2026-01-01T10:00:${second}+00:00` })),
      ).toMatchObject({ status: 201, answer: expect.stringMatching(/^[0-9a-f-]{36}$/) as string })
    expect(await ask(api, `/runs/${id}/emissions?page=1&size=2`)).toMatchObject({
      status: 200,
      answer: {
        ...{ total: 3, page: 1, size: 2, pages: 2 },
        items: [{ timestamp: '2026-01-01T10:00:30' }, { timestamp: '2026-01-01T10:00:20' }],
      },
    })
    expect(await ask(api, `/experiments/${api.store.experimentId}/runs`)).toMatchObject({
      answer: [{ id, timestamp: '2026-01-01T08:00:00.250000' }],
    })
  })

  it.each([
    ['a duration of no second', { duration: 0 }],
    ['a part of a second', { duration: 1.5 }],
    ['a negative energy', { cpu_energy: -1 }],
    ['a load above 100 %', { cpu_utilization_percent: 100.1 }],
    ['a number as text', { ram_power: '10' }],
    ['no energy', { energy_consumed: null }],
    ['a time without a zone', { timestamp: '2026-01-01T10:00:10' }],
    ['a run that is no UUID', { run_id: '1' }],
    ['a field it does not know', { water: 1 }],
  ])('refuses %s', async (_what, changes) => {
    const api = await startFakeApi()
    expect(await ask(api, '/emissions', emissionBody(await runIn(api), changes))).toMatchObject({
      status: 422,
    })
    expect(api.store.emissions).toEqual([])
  })

  it('refuses another key, and runs and addresses that are not there', async () => {
    const api = await startFakeApi()
    const id = await runIn(api)
    expect(await ask(api, '/runs', runBody(api.store.experimentId), 'another')).toMatchObject({ status: 403 })
    expect(await ask(api, '/emissions', emissionBody(id), 'another')).toMatchObject({ status: 403 })
    expect(await ask(api, '/emissions', emissionBody(unknownId))).toMatchObject({ status: 403 })
    expect(await ask(api, `/runs/${unknownId}`)).toMatchObject({ status: 404 })
    expect(await ask(api, '/run')).toMatchObject({ status: 404 })
    expect(await ask(api, '/projects', {})).toMatchObject({ status: 401 })
  })

  it('goes wrong as it is told to, having carried out a request or not', async () => {
    const api = await startFakeApi()
    const id = await runIn(api)
    const outcomes = ['lost answer', 'committed error', 503, 'page', 'redirect'] as const
    for (const fault of outcomes) {
      api.fault = () => fault
      const { emissions } = api.store
      const before = emissions.length
      const stored = await Promise.race([
        fetch(`${api.url}/emissions`, {
          method: 'POST',
          redirect: 'manual',
          headers: { 'x-api-token': api.store.apiKey },
          body: JSON.stringify(emissionBody(id)),
        }).then(() => emissions.length - before),
        new Promise<number>((resolve) => {
          setTimeout(() => {
            resolve(emissions.length - before)
          }, 200)
        }),
      ])
      expect([fault, stored]).toEqual([fault, fault === 'lost answer' || fault === 'committed error' ? 1 : 0])
    }
  })
})
