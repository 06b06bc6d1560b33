import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMlflowOutput } from '../../src/integrations/mlflow/mlflow-output.ts'
import { recordOf, reportOf, taskOf } from '../fixtures/csv/records.ts'
import { readTable } from '../fixtures/csv/table.ts'
import { environmentFor, runCli, runProgram } from '../fixtures/programs/child.ts'
import { freePort, until } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const python = process.env['E2E_MLFLOW']
const script = fileURLToPath(new URL('read_mlflow.py', import.meta.url))

if (python === undefined)
  console.log('Skipped: a real MLflow. Set E2E_MLFLOW to a Python that has the package mlflow.')

/** A run as MLflow's own client reads it. */
interface ReadRun {
  readonly status: string
  readonly name: string
  readonly experiment: string
  readonly params: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly metrics: Readonly<Record<string, readonly (readonly [step: number, value: number])[]>>
  readonly artifacts: readonly string[]
  readonly emissions_csv: string
}

/** A tracking server with its own database and folder of files, which is asked by its own client. */
interface Server {
  readonly url: string
  run(what: string): string
  read(what: string): unknown
  close(): void
}

async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-mlflow-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const words = ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1']
  const places = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`]
  const files = ['--artifacts-destination', join(folder, 'artifacts')]
  const env = environmentFor(folder)
  // A group of its own: the server is a child of what is started here.
  const child = spawn(python ?? '', [...words, ...places, ...files], {
    cwd: folder,
    env,
    stdio: 'ignore',
    detached: true,
  })
  await until(() =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  const run = (what: string): string =>
    execFileSync(python ?? '', [script, url, what], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  return {
    url,
    run,
    read: (what) => JSON.parse(run(what)),
    close() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

describe.skipIf(python === undefined)('a real MLflow', () => {
  let server: Server

  beforeAll(async () => {
    server = await startServer()
    server.run('warm up')
  }, 300_000)

  afterAll(() => {
    server.close()
  })

  it('has what a program and a command logged', { timeout: 300_000 }, async () => {
    const folder = temporaryFolder()
    const env = {
      MLFLOW_TRACKING_URI: server.url,
      CODECARBON_OUTPUT_DIR: join(folder, 'out'),
      CODECARBON_COUNTRY_ISO_CODE: 'FRA',
    }

    const program = await runProgram('mlflow-run.js', ['3'], { folder, env })
    expect(program).toMatchObject({ code: 3, stdout: 'stopped true\n' })
    const [row] = readTable(join(folder, 'out/emissions.csv'))
    const own = server.read('newest:digits') as ReadRun
    expect(own).toMatchObject({
      status: 'FAILED',
      name: 'train',
      experiment: 'digits',
      params: { codecarbon_country: 'France', codecarbon_tracking_mode: 'machine' },
      tags: { 'codecarbon.run_id': row?.['run_id'], 'codecarbon/Country': 'France' },
      artifacts: ['codecarbon.html', 'emissions.csv'],
    })
    expect(own.metrics['codecarbon_emissions']?.at(-1)?.[1]).toBe(Number(row?.['emissions']))
    expect(own.metrics['codecarbon_task_energy_consumed/epoch']).toEqual([[1, expect.any(Number)]])
    expect(own.emissions_csv.split('\n')[1]).toContain(row?.['run_id'])

    const given = server.read('create') as string
    const command = ['--quiet', '--', process.execPath, '-e', 'setTimeout(() => process.exit(7), 300)']
    const attached = await runCli(['run', ...command], { folder, env: { ...env, MLFLOW_RUN_ID: given } })
    expect(attached).toMatchObject({ code: 7, stderr: '' })
    const read = server.read(`run:${given}`) as ReadRun
    expect(read).toMatchObject({ status: 'RUNNING', artifacts: ['codecarbon.html', 'emissions.csv'] })
    expect(read.metrics['codecarbon_energy_consumed']).toHaveLength(1)

    const nested = await runCli(['run', ...command], {
      folder,
      env: { ...env, MLFLOW_RUN_ID: given, MLFLOW_NESTED_RUN: 'true' },
    })
    expect(nested).toMatchObject({ code: 7, stderr: '' })
    expect(server.read(`below:${given}`)).toMatchObject([{ status: 'FAILED', experiment: 'Default' }])
  })

  it(
    'takes names, texts and numbers of any kind, and figures that come twice',
    { timeout: 300_000 },
    async () => {
      const experimentName = 'naïve/名前 \'"`'
      const messages: string[] = []
      const create = () =>
        createMlflowOutput(
          { trackingUri: server.url, experimentName },
          { log: (_severity, message) => void messages.push(message) },
        )
      const odd = recordOf({
        projectName: 'a "b" 名前 😀',
        cpuModel: '😀'.repeat(900),
        place: { ...recordOf().place, countryName: 'Côte d’Ivoire' },
      })
      const tasks = [
        '../x',
        '.',
        'a//b',
        ' ',
        '名前',
        'epoch 7',
        ...Array.from({ length: 1200 }, (_, i) => `t${i % 90}`),
      ]
      const exporter = create()
      await exporter.export(
        reportOf(
          'flush',
          odd,
          tasks.map((name) => taskOf(name)),
        ),
      )
      const moved = { ...odd, place: { ...odd.place, countryName: 'Ghana' } }
      await exporter.export(reportOf('stop', moved))
      const read = server.read(`newest:${experimentName}`) as ReadRun
      expect(read).toMatchObject({
        status: 'FINISHED',
        name: 'a "b" 名前 😀',
        params: { codecarbon_country: 'Côte d’Ivoire' },
        tags: { codecarbon_country: 'Ghana' },
      })
      // Both reports are of one moment: a point that is there already is not there twice.
      expect(read.metrics['codecarbon_emissions']).toEqual([[120, 0.000044]])
      expect(read.metrics['codecarbon_task_duration/epoch']).toEqual([[7, 60]])
      expect(read.params['codecarbon_cpu_model']?.length).toBeLessThanOrEqual(500)
      expect(messages).toEqual([])
    },
  )
})
