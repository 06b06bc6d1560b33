import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { startFakeApi, type FakeApi } from '../../fixtures/codecarbon-api/server.ts'
import { sumsOf } from '../../fixtures/codecarbon-api/store.ts'
import { startCli, type Child } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const settings = ({ url, store }: FakeApi): string =>
  `[codecarbon]
api_endpoint = ${url}
api_key = ${store.apiKey}
experiment_id = ${store.experimentId}
measure_power_secs = 0.2
api_call_interval = 2
force_cpu_power = 65
country_iso_code = FRA
`

function monitor(folder: string, config: string, ...flags: string[]): Child {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '.codecarbon.config'), config)
  return startCli(['monitor', ...flags], { folder })
}

async function slices(api: FakeApi, count: number): Promise<void> {
  for (let turn = 0; api.store.emissions.length < count; turn += 1) {
    if (turn > 600) expect.fail(`there are ${api.store.emissions.length} slices`)
    await new Promise((resolve) => {
      setTimeout(resolve, 25)
    })
  }
}

describe('codecarbon monitor', () => {
  it.each([
    ['--api', ''],
    ['a file that says save_to_api', 'save_to_api = true\n'],
    ['a file that says output_methods', 'output_methods = csv, api\n'],
  ])('sends what it measures to the CodeCarbon API, by %s', async (by, more) => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    const child = monitor(folder, settings(api) + more, ...(by.startsWith('--') ? [by] : []))
    await slices(api, 2)
    child.process.kill('SIGTERM')
    const { code, stderr } = await child.ended
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/output api|not in this version/)
    expect(stderr).not.toContain(api.store.apiKey)
    const [row] = parse<Record<string, string>>(readFileSync(join(folder, 'emissions.csv'), 'utf8'), {
      columns: true,
    })
    const sums = sumsOf(api.store.emissions)
    expect([String(sums.emissions_sum), String(sums.energy_consumed), sums.duration]).toEqual([
      row?.['emissions'],
      row?.['energy_consumed'],
      Math.round(Number(row?.['duration'])),
    ])
  })

  it('sends nothing with --no-api', async () => {
    const api = await startFakeApi()
    const folder = temporaryFolder()
    const child = monitor(folder, `${settings(api)}output_methods = csv, api\n`, '--no-api')
    await new Promise((resolve) => {
      setTimeout(resolve, 1500)
    })
    child.process.kill('SIGTERM')
    expect((await child.ended).code).toBe(0)
    expect(api.asked).toEqual([])
  })

  it('ends in time where the API is silent, and says what waits', async () => {
    const api = await startFakeApi()
    api.fault = () => 'silence'
    const folder = temporaryFolder()
    const child = monitor(folder, settings(api), '--api')
    await new Promise((resolve) => {
      setTimeout(resolve, 2000)
    })
    const begun = performance.now()
    child.process.kill('SIGTERM')
    const { code, stderr } = await child.ended
    expect(code).toBe(0)
    expect(performance.now() - begun).toBeLessThan(5000)
    expect(stderr).toMatch(
      /\d+ slices? of this run waits? in .*, to be sent by the next run or by codecarbon api flush/,
    )
  })
})
