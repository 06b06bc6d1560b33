import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { RunFile } from '../../../src/exporters/api/run-file.ts'
import type { Sums } from '../../../src/exporters/api/slice.ts'
import { startFakeApi, type FakeApi } from '../../fixtures/codecarbon-api/server.ts'
import { sumsOf } from '../../fixtures/codecarbon-api/store.ts'
import {
  runCli,
  runProgram,
  startCli,
  startProgram,
  stateFolder,
  type Ended,
} from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { filesIn, until } from './rig.ts'

const runBody = {
  ...{
    timestamp: '2027-01-15T08:00:00.000123Z',
    os: 'Linux',
    python_version: 'node',
    codecarbon_version: '1',
  },
  ...{ cpu_count: 1, cpu_model: null, gpu_count: 0, gpu_model: null, longitude: null, latitude: null },
  ...{ region: null, provider: null, ram_total_size: 1, tracking_mode: 'machine' },
}

type Row = Readonly<Record<string, string>>

const rowsOf = (folder: string): Row[] =>
  parse(readFileSync(join(folder, 'emissions.csv'), 'utf8'), { columns: true })

const argumentsFor = ({ url, store }: FakeApi, end: string): string[] => [
  url,
  store.experimentId,
  store.apiKey,
  end,
]

const flush = (
  { url, store }: FakeApi,
  folder: string,
  key = store.apiKey,
  ...more: string[]
): Promise<Ended> =>
  runCli(['api', 'flush', '--api-endpoint', url, ...more], { folder, env: { CODECARBON_API_KEY: key } })

const waitingIn = (folder: string): string[] => filesIn(join(stateFolder(folder), 'api'))

/** Sums by the names of the CSV file, without those of time. */
function serverSums({ store }: FakeApi, runIndex: number): Row {
  const id = store.runs[runIndex]?.id
  const {
    duration: _duration,
    emissions_sum,
    ...energies
  } = sumsOf(store.emissions.filter((emission) => emission['run_id'] === id))
  return Object.fromEntries(
    Object.entries({ emissions: emissions_sum, ...energies }).map(([name, value]) => [name, String(value)]),
  )
}

const csvSums = (row: Row | undefined, like: Row): Row =>
  Object.fromEntries(Object.keys(like).map((name) => [name, row?.[name] ?? 'none']))

/** Of what is sent some is not taken, and some taken without an answer. */
function flaky(): FakeApi['fault'] {
  let asked = 0
  return ({ method }) => {
    if (method === 'GET') return undefined
    asked += 1
    if (asked % 7 === 0) return 'lost answer'
    if (asked % 5 === 0) return 503
    return asked % 11 === 0 ? 'committed error' : undefined
  }
}

describe('a program whose run goes to the CodeCarbon API', { timeout: 120_000 }, () => {
  it('has there what its CSV file says, to the last bit, when it was killed at any instant and the rest is flushed', async () => {
    const api = await startFakeApi()
    for (let kill = 0; kill < 5; kill += 1) {
      api.fault = flaky()
      const folder = temporaryFolder()
      const child = startProgram('api-run.js', argumentsFor(api, 'endless'), { folder })
      await child.printed('tracking')
      await new Promise((resolve) => {
        setTimeout(resolve, 200 + Math.random() * 1800)
      })
      child.process.kill('SIGKILL')
      await child.ended
      api.fault = () => undefined
      const { code, stderr } = await flush(api, folder)
      expect([stderr, code]).toEqual(['', 0])
      expect(waitingIn(folder)).toEqual([])
      const rows = rowsOf(folder)
      const sums = serverSums(api, kill)
      // The row of a flush is written before its slice is, and it may have been killed in between.
      const told = [rows.at(-1), rows.at(-2)].find((row) => row?.['emissions'] === sums['emissions'])
      expect(csvSums(told, sums)).toEqual(sums)
    }
    expect(api.store.runs).toHaveLength(5)
  })

  it.each(['stop', 'stopSync', 'exit', 'throw', 'by itself'])(
    'has all of it there, at once or after a flush, where it ends with %s',
    async (end) => {
      const api = await startFakeApi()
      const folder = temporaryFolder()
      const { stderr } = await runProgram('api-run.js', argumentsFor(api, end), { folder })
      expect(stderr.replace(/[^]*on purpose[^]*/, '')).toBe('')
      if (end.startsWith('stop')) expect(waitingIn(folder)).toEqual([])
      const flushed = await flush(api, folder)
      expect([flushed.stderr, flushed.code]).toEqual(['', 0])
      expect(waitingIn(folder)).toEqual([])
      const sums = serverSums(api, 0)
      expect(csvSums(rowsOf(folder).at(-1), sums)).toEqual(sums)
      expect(api.store.runs).toHaveLength(1)
    },
  )
})

describe('codecarbon api flush', { timeout: 120_000 }, () => {
  it('says when nothing waits, and what does', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    expect(await flush(api, folder)).toMatchObject({ code: 0, stdout: `nothing waits for ${api.url}\n` })
    await runProgram('api-run.js', argumentsFor(api, 'exit'), { folder })
    const { code, stdout } = await flush(api, folder)
    expect(stdout).toMatch(
      /^\d+-[0-9a-f-]+\.jsonl: 1 slices sent\n1 slices sent to the CodeCarbon API at 127/,
    )
    expect(code).toBe(0)
  })

  it('keeps what is not taken, and says why without the key', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    await runProgram('api-run.js', argumentsFor(api, 'exit'), { folder })
    const refused = await flush(api, folder, 'cpt_wrong', '--json')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /^codecarbon: the CodeCarbon API at [^ ]+ does not let this API key write .*\n$/,
    )
    expect(JSON.parse(refused.stdout)).toEqual({ endpoint: api.url, slices: 0, runs_left: 1 })
    expect(refused.stdout + refused.stderr).not.toContain('cpt_wrong')
    expect(waitingIn(folder)).toHaveLength(1)
    const elsewhere = await startFakeApi()
    const other = await flush(elsewhere, folder)
    expect(other.stderr).toContain(`runs also wait for ${api.url}`)
    expect(elsewhere.asked).toEqual([])
  })

  it('may be killed at any instant: what is sent is sent once', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    const path = join(stateFolder(folder), 'api', '1-run.jsonl')
    const run = { ...runBody, experiment_id: api.store.experimentId }
    const file = RunFile.begin(path, { endpoint: api.url, run })
    const sums = (n: number): Sums => ({
      ...{ seconds: n * 7.7, emissions: n / 3e5, cpu: n / 7e4, gpu: 0, ram: n / 9e5 },
      energy: n / 7e4 + n / 9e5,
    })
    const means = { cpuWatts: 1, gpuWatts: 0, ramWatts: 1, cpuPercent: 1, gpuPercent: null, ramPercent: 1 }
    for (let n = 1; n <= 1500; n += 1)
      file.add({ n, wallMs: 1.8e12 + n * 7700, sums: sums(n), seconds: 7.7, wue: 0, means })
    file.close(false)
    const env = { CODECARBON_API_KEY: api.store.apiKey }
    for (let kill = 0; kill < 6; kill += 1) {
      const { length } = api.store.emissions
      const child = startCli(['api', 'flush', '--api-endpoint', api.url], { folder, env })
      await until(() => api.store.emissions.length > length + Math.random() * 300)
      child.process.kill('SIGKILL')
      await child.ended
    }
    expect(api.store.emissions.length).toBeLessThan(1500)
    expect((await flush(api, folder)).stderr).toBe('')
    expect(api.store.runs).toHaveLength(1)
    expect(api.store.emissions).toHaveLength(1500)
    const { seconds, emissions, cpu, gpu, ram, energy } = sums(1500)
    expect(sumsOf(api.store.emissions)).toEqual({
      ...{ duration: Math.round(seconds), emissions_sum: emissions },
      ...{ cpu_energy: cpu, gpu_energy: gpu, ram_energy: ram, energy_consumed: energy },
    })
  })

  it('shares the spool: of two at the same time each run is sent once', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    for (let run = 0; run < 3; run += 1) await runProgram('api-run.js', argumentsFor(api, 'exit'), { folder })
    const both = await Promise.all([flush(api, folder), flush(api, folder)])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(api.store.emissions).toHaveLength(3)
    expect(api.store.runs).toHaveLength(3)
    expect(waitingIn(folder)).toEqual([])
  })
})
