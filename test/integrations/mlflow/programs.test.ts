import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readTable } from '../../fixtures/csv/table.ts'
import { startMlflow, type Fault, type MlflowServer } from '../../fixtures/mlflow/server.ts'
import { runCli, runProgram, type Ended } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const token = 't0ken-that-nobody-may-see'
const authorization = `Bearer ${token}`
const command = ['--', process.execPath, '-e', 'setTimeout(() => process.exit(7), 300)']

const environmentOf = (server: MlflowServer, folder: string): Record<string, string> => ({
  MLFLOW_TRACKING_URI: server.url,
  MLFLOW_TRACKING_TOKEN: token,
  CODECARBON_OUTPUT_DIR: join(folder, 'out'),
  CODECARBON_COUNTRY_ISO_CODE: 'FRA',
})

interface Ran {
  readonly folder: string
  readonly ended: Ended
}

async function cli(
  server: MlflowServer,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const folder = temporaryFolder()
  const options = { folder, env: { ...environmentOf(server, folder), ...env } }
  return { folder, ended: await runCli(['run', ...args, ...command], options) }
}

const tableOf = (server: MlflowServer, id: string): string | undefined =>
  server.files.get(`0/${id}/artifacts/emissions.csv`)?.text

describe('codecarbon run', () => {
  it('logs a command by itself to the run of MLflow that the environment names', async () => {
    const server = await startMlflow({ authorization })
    const { id } = server.addRun()
    const { ended, folder } = await cli(server, [], { MLFLOW_RUN_ID: id })
    expect(ended.code).toBe(7)
    expect(server.run).toMatchObject({ id, status: 'RUNNING' })
    const [row] = readTable(join(folder, 'out/emissions.csv'))
    expect(tableOf(server, id)).toContain(`${row?.['run_id']},`)
    expect(server.run.params.get('codecarbon_country')).toBe('France')
    expect(Number(server.run.tags.get('codecarbon/CO2 emissions kg'))).toBeGreaterThan(0)
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(token)
  })

  it('does not where an option or being offline says so, or no run is named', async () => {
    const server = await startMlflow({ authorization })
    const { id } = server.addRun()
    await cli(server, [], { MLFLOW_RUN_ID: id, CODECARBON_MLFLOW_AUTO_LOG: 'false' })
    await cli(server, ['--offline'], { MLFLOW_RUN_ID: id })
    await cli(server, [])
    expect(server.seen).toEqual([])
  })

  it('makes a run of its own where it is told to, which fails with the command', async () => {
    const server = await startMlflow({ authorization })
    const { ended } = await cli(server, ['--output-methods', 'mlflow', '--project-name', 'job'])
    expect(ended.code).toBe(7)
    expect(server.run).toMatchObject({ name: 'job', status: 'FAILED' })
    expect(ended.stderr).toContain(`Logged to ${server.url}/#/experiments/0/runs/${server.run.id}\n`)
  })

  it.each<[string, Fault]>([
    ['refuses who asks', { status: 401 }],
    ['says nothing', 'hang'],
    ['resets every connection', 'reset'],
    ['is overloaded', { status: 503 }],
  ])('keeps exit code, time and figures of a command where the server %s', async (_title, fault) => {
    const server = await startMlflow({ authorization })
    const { id } = server.addRun()
    server.fail(fault)
    const begin = performance.now()
    const { ended, folder } = await cli(server, ['--quiet'], { MLFLOW_RUN_ID: id })
    expect(performance.now() - begin).toBeLessThan(9000)
    expect(ended).toMatchObject({ code: 7, stdout: '' })
    expect(ended.stderr.match(/output mlflow/g)).toHaveLength(1)
    expect(ended.stderr).not.toContain(token)
    expect(readTable(join(folder, 'out/emissions.csv'))).toHaveLength(1)
  })
})

describe('a program with a run of MLflow', () => {
  it.each([
    ['0', 'FINISHED'],
    ['3', 'FAILED'],
  ])('that ends with %s is %s there', async (code, status) => {
    const server = await startMlflow({ authorization })
    const folder = temporaryFolder()
    const ended = await runProgram('mlflow-run.js', [code], { folder, env: environmentOf(server, folder) })
    expect(ended).toMatchObject({ code: Number(code), stdout: 'stopped true\n' })
    expect(server.run).toMatchObject({ name: 'train', status })
    expect(server.experiments.get(server.run.experimentId)).toBe('digits')
    expect(
      server.run.metrics.find(({ key }) => key === 'codecarbon_task_energy_consumed/epoch'),
    ).toMatchObject({
      step: 1,
    })
  })

  it('that comes to its end without a stop is told and ended, and one that exits is told of', async () => {
    const server = await startMlflow({ authorization })
    const folder = temporaryFolder()
    const env = environmentOf(server, folder)
    const ended = await runProgram('mlflow-run.js', ['by itself'], { folder, env })
    expect(ended).toMatchObject({ code: 4, stdout: '' })
    expect(server.run).toMatchObject({ name: 'train', status: 'FAILED' })
    expect(ended.stderr).not.toContain('before stop()')
    const exited = await runProgram('mlflow-run.js', ['exit'], { folder, env })
    expect(exited.code).toBe(3)
    expect(exited.stderr).toContain('output mlflow: the process ends before stop()')
    expect(server.runs).toHaveLength(1)
  })

  it('has one run there, also where the output is asked for', async () => {
    const server = await startMlflow({ authorization })
    const folder = temporaryFolder()
    const env = { ...environmentOf(server, folder), CODECARBON_OUTPUT_METHODS: 'csv,mlflow' }
    expect(await runProgram('mlflow-run.js', ['0'], { folder, env })).toMatchObject({ code: 0 })
    expect(server.run.status).toBe('FINISHED')
  })

  it('without a server goes on, and is told what to do', async () => {
    const folder = temporaryFolder()
    const ended = await runProgram('mlflow-run.js', ['0'], { folder })
    expect(ended).toMatchObject({ code: 0, stdout: 'stopped true\n' })
    expect(ended.stderr).toContain('give MLFLOW_TRACKING_URI')
  })
})
