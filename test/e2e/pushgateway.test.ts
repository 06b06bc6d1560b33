import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { hash } from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { runCli, startChild, startCli, type Child } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const program = ['pushgateway', 'prometheus-pushgateway'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)
if (program === undefined) {
  console.log('Skipped: pushes to a real Pushgateway. prometheus-pushgateway is not installed.')
}
const promtool = spawnSync('promtool', ['--version']).status === 0
if (!promtool) console.log('Skipped: the metrics are not checked by promtool, which is not installed.')

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => {
        resolve(port)
      })
    })
  })

/** Starts a gateway; gone when the test has finished. */
async function startGateway(flags: readonly string[] = []): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`
  const folder = temporaryFolder()
  startChild(program ?? '', [`--web.listen-address=${address}`, ...flags], { folder })
  await expect
    .poll(
      () =>
        fetch(`http://${address}/-/ready`).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBeGreaterThan(0)
  return address
}

const shownBy = async (address: string, headers: Record<string, string> = {}): Promise<string> =>
  (await fetch(`http://${address}/metrics`, { headers })).text()

/** Tracks a command that takes half a second, and pushes. */
async function track(url: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = mkdtempSync(join(temporaryFolder(), 'run-'))
  const options = {
    CODECARBON_OUTPUT_METHODS: 'prometheus',
    CODECARBON_PROMETHEUS_URL: url,
    CODECARBON_MEASURE_POWER_SECS: '0.1',
    CODECARBON_API_CALL_INTERVAL: '1',
    CODECARBON_LOG_LEVEL: 'warning',
    CODECARBON_HOST_REPORTER_GROUP: folder,
  }
  const busy = 'const end = Date.now() + 500; while (Date.now() < end);'
  const { code, stderr } = await runCli(['run', '--', process.execPath, '-e', busy], {
    folder,
    env: { ...options, ...env },
    input: '',
  })
  expect(code).toBe(0)
  return stderr
}

const kept = { CODECARBON_PROMETHEUS_DELETE_AT_END: 'false' }
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

describe.runIf(program !== undefined)('a real Pushgateway', () => {
  it('shows what was pushed, with this host as instance, and takes it without a complaint', async () => {
    const gateway = await startGateway()
    expect(await track(gateway, kept)).not.toContain('Pushgateway')
    const text = await shownBy(gateway)
    const labels = `instance="${escaped(hostname())}",job="codecarbon"`
    expect(text).toMatch(
      new RegExp(
        `^codecarbon_component_energy_joules_total\\{component="cpu",${labels},method="\\w+"\\} [\\d.e-]+$`,
        'm',
      ),
    )
    expect(text).toMatch(
      new RegExp(`^codecarbon_run_info\\{.*${labels}.*project_name="codecarbon".*\\} 1$`, 'm'),
    )
    expect(text).toMatch(/^push_failure_time_seconds\{.*job="codecarbon"\} 0$/m)
  })

  it('has nothing of a run that has ended, unless it is to be kept', async () => {
    const gateway = await startGateway()
    const pushed = track(gateway)
    await expect
      .poll(() => shownBy(gateway), { timeout: 20_000, interval: 20 })
      .toContain('codecarbon_run_info{')
    await pushed
    expect(await shownBy(gateway)).not.toMatch(/^(?:codecarbon|hw|push)_\w+\{.*job="codecarbon"/m)
  })

  it('keeps two runs of this host apart that push at the same time, and the first to end deletes its own alone', async () => {
    const gateway = await startGateway()
    const folder = temporaryFolder()
    const start = (name: string): Child => {
      const env = {
        CODECARBON_OUTPUT_METHODS: 'prometheus',
        CODECARBON_PROMETHEUS_URL: gateway,
        CODECARBON_PROJECT_NAME: name,
        CODECARBON_MEASURE_POWER_SECS: '0.1',
        CODECARBON_API_CALL_INTERVAL: '1',
        CODECARBON_HOST_REPORTER_GROUP: folder,
      }
      // Ends with its input.
      const child = startCli(['run', '--', process.execPath, '-e', 'process.stdin.resume()'], {
        folder: mkdtempSync(join(folder, name)),
        env,
      })
      return child
    }
    const instances = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await shownBy(gateway)).split('\n').flatMap((line) => {
          const [, instance = '', project = ''] =
            /^codecarbon_run_info\{.*instance="([^"]*)".*project_name="([^"]*)"/.exec(line) ?? []
          return instance === '' ? [] : [[project, instance]]
        }),
      )
    const patience = { timeout: 20_000, interval: 50 }
    const one = start('one')
    await expect.poll(instances, patience).toEqual({ one: hostname() })
    const two = start('two')
    const both = { one: hostname(), two: `${hostname()}:2` }
    await expect.poll(instances, patience).toEqual(both)

    one.process.stdin.end()
    await one.ended
    expect(await instances()).toEqual({ two: both.two })
    // One that is killed leaves its group behind, which the next run takes over.
    two.process.kill('SIGKILL')
    await two.ended
    const three = start('three')
    const four = start('four')
    await expect
      .poll(async () => Object.values(await instances()).toSorted(), patience)
      .toEqual(Object.values(both).toSorted())
    await expect
      .poll(async () => Object.keys(await instances()).toSorted(), patience)
      .toEqual(['four', 'three'])
    for (const { process: child } of [three, four]) child.stdin.end()
    await Promise.all([three.ended, four.ended])
    expect(await instances()).toEqual({})
  })

  it('keeps two instances apart, and a job and an instance of any name', async () => {
    const gateway = await startGateway()
    const slash = Buffer.from('b/c').toString('base64url')
    await Promise.all([
      track(`${gateway}/metrics/job/nightly/instance/a`, { ...kept, CODECARBON_PROJECT_NAME: 'one' }),
      track(`${gateway}/metrics/job/nightly/instance@base64/${slash}`, {
        ...kept,
        CODECARBON_PROJECT_NAME: 'two',
      }),
    ])
    const text = await shownBy(gateway)
    expect(text).toMatch(/^codecarbon_run_info\{.*instance="a",job="nightly".*project_name="one"/m)
    expect(text).toMatch(/^codecarbon_run_info\{.*instance="b\/c",job="nightly".*project_name="two"/m)
  })

  it('with a password takes pushes and deletions of those who have it, and is named to others', async () => {
    const config = join(temporaryFolder(), 'web.yml')
    writeFileSync(config, `basic_auth_users:\n  ada: ${await hash('secret', 4)}\n`)
    const gateway = await startGateway([`--web.config.file=${config}`])
    const headers = { authorization: `Basic ${btoa('ada:secret')}` }
    const credentials = { PROMETHEUS_USERNAME: 'ada', PROMETHEUS_PASSWORD: 'secret' }

    const refused = await track(gateway)
    expect(refused).toContain(
      `the Pushgateway at ${gateway} does not accept the credentials (HTTP 401): check PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD`,
    )
    expect(await track(gateway, { ...credentials, ...kept })).not.toContain('Pushgateway')
    expect(await shownBy(gateway, headers)).toContain('codecarbon_run_info{')
    expect(await track(gateway, credentials)).not.toContain('Pushgateway')
    expect(await shownBy(gateway, headers)).not.toContain('codecarbon_run_info{')
  })
})

describe.runIf(promtool)('the file for node_exporter', () => {
  it('is found good by promtool', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'codecarbon.prom')
    const env = { CODECARBON_PROMETHEUS_TEXTFILE: file, CODECARBON_HOST_REPORTER_GROUP: folder }
    await runCli(['run', '--', process.execPath, '-e', ''], { folder, env, input: '' })
    const checked = spawnSync('promtool', ['check', 'metrics'], {
      input: readFileSync(file),
      encoding: 'utf8',
    })
    // The Collector makes this name of the unit, and promtool would have the K small.
    const known =
      "codecarbon_carbon_intensity_grams_per_kWh metric names should be written in 'snake_case' not 'camelCase'"
    expect(checked.stderr.split('\n').filter((line) => line !== '' && line !== known)).toEqual([])
  })
})
