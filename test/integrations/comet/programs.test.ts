import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { upstreamColumns } from '../../fixtures/csv/columns.ts'
import { readTable } from '../../fixtures/csv/table.ts'
import { readAsPanel } from '../../fixtures/comet/panel.ts'
import { apiKey, startComet, type CometSimulator, type Fault } from '../../fixtures/comet/simulator.ts'
import { runCli, runProgram, type Ended } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

interface Program {
  readonly folder: string
  readonly ended: Ended
}

const environmentOf = (comet: CometSimulator, folder: string): Record<string, string> => ({
  COMET_API_KEY: apiKey,
  COMET_URL_OVERRIDE: `${comet.url}/clientlib/`,
  COMET_WORKSPACE: 'ada',
  COMET_PROJECT_NAME: 'digits',
  OUT: join(folder, 'out'),
  CODECARBON_OUTPUT_DIR: join(folder, 'out'),
  CODECARBON_COUNTRY_ISO_CODE: 'FRA',
})

async function program(
  comet: CometSimulator,
  way: string,
  env: Record<string, string> = {},
): Promise<Program> {
  const folder = temporaryFolder()
  const options = { folder, env: { ...environmentOf(comet, folder), ...env } }
  return { folder, ended: await runProgram('comet-experiment.js', [way], options) }
}

const archives = (folder: string): string[] => {
  const place = join(folder, '.cometml-runs')
  return existsSync(place) ? readdirSync(place) : []
}

describe('a program with an experiment of Comet', () => {
  it.each(['end', 'dispose', 'by itself'])(
    '%s: the panel finds the one row of its run, the experiment all else',
    async (way) => {
      const comet = await startComet()
      const { ended, folder } = await program(comet, way)
      expect(ended).toMatchObject({ code: 0, signal: null })
      expect(ended.stdout).toContain('state online')
      const { columns, row } = await readAsPanel(comet, comet.experiment.key)
      expect(columns).toEqual(upstreamColumns)
      const [local] = readTable(join(folder, 'out/emissions.csv'))
      expect(row).toEqual(local)
      expect(row).toMatchObject({ project_name: 'digits', country_name: 'France', country_iso_code: 'FRA' })
      expect(Number(row['emissions'])).toBeGreaterThan(0)

      const { metrics, parameters, others, html, system, name, endTimeMillis, throttled } = comet.experiment
      const names = new Set(metrics.map(({ metricName }) => metricName))
      expect(name).toBe('ending')
      expect(names).toContain('loss')
      expect(names).toContain('codecarbon_emissions')
      expect(
        metrics.find(({ metricName }) => metricName === 'codecarbon_task_energy_consumed'),
      ).toMatchObject({ context: 'epoch', epoch: 1 })
      expect(parameters.get('way')).toBe(way)
      expect(parameters.get('codecarbon_country')).toBe('France')
      expect(others.get('CO2 emissions (kg)')).toBe(row['emissions'])
      expect(html).toContain('CodeCarbon: digits')
      expect(system).toMatchObject({ pythonVersion: `node ${process.version}` })
      expect(endTimeMillis).toBeDefined()
      expect(throttled).toBe(false)
      expect(archives(folder)).toEqual([])
      expect(`${ended.stdout}${ended.stderr}`).not.toContain(apiKey)
    },
  )

  it.each([
    ['exit', 3, null, 'exit code 3'],
    ['error', 1, null, 'Error: this was not caught'],
    ['signal', null, 'SIGTERM', 'SIGTERM'],
  ] as const)(
    'that ends by %s keeps its exit code, and an archive has what could not be sent and how it failed',
    async (way, code, signal, error) => {
      const comet = await startComet()
      const { ended, folder } = await program(comet, way, { CODECARBON_LOG_LEVEL: 'info' })
      expect(ended).toMatchObject({ code, signal })
      expect(ended.stderr.match(/digits: .*emissions\.csv/g)).toHaveLength(1)
      expect(readTable(join(folder, 'out/emissions.csv'))).toHaveLength(1)
      expect(archives(folder)).toEqual([expect.stringMatching(/\.zip$/) as string])
      expect(ended.stderr).toMatch(/could not be sent and went to .*codecarbon comet upload/)
      expect(ended.stderr.match(/ INFO @ .* CO2e/g)).toHaveLength(1)
      const [archive = ''] = archives(folder)
      const env = environmentOf(comet, folder)
      await runCli(['comet', 'upload', join(folder, '.cometml-runs', archive)], { folder, env })
      expect(comet.experiment).toMatchObject({ hasCrashed: true, error })
    },
  )

  it.each<[string, Fault]>([
    ['refuses the key', { status: 401 }],
    ['is overloaded', { status: 503 }],
    ['resets every connection', 'reset'],
    ['says nothing', 'hang'],
    ['answers slower than anyone waits', 'slow'],
    ['has another page there', { status: 200, page: true }],
    ['says 200 and means no', { status: 200, sdkErrorCode: 90219 }],
  ])('whose server %s goes on to its end, and is told once what to do', async (_title, fault) => {
    const comet = await startComet()
    comet.fail(fault)
    const begin = performance.now()
    const { ended, folder } = await program(comet, 'end', { COMET_TIMEOUT_HTTP: '1' })
    expect(performance.now() - begin).toBeLessThan(12_000)
    expect(ended).toMatchObject({ code: 0, stdout: 'state offline\nended ended\n' })
    expect(readTable(join(folder, 'out/emissions.csv'))).toHaveLength(1)
    expect(archives(folder)).toHaveLength(1)
    const warnings = ended.stderr
      .split('\n')
      .filter((line) => line.includes('Comet') && line.includes('WARNING'))
    expect(warnings.filter((line) => line.includes('to be uploaded later'))).toHaveLength(1)
    expect(warnings).toHaveLength(2)
    expect(ended.stderr).not.toContain(apiKey)
  })

  it('may have more experiments than listeners that Node.js warns of', async () => {
    const comet = await startComet()
    const { ended } = await program(comet, 'many')
    expect(ended).toMatchObject({ code: 0, stdout: 'state online\nstates 12\n' })
    expect(ended.stderr).not.toContain('MaxListenersExceededWarning')
    expect(comet.experiments.filter(({ endTimeMillis }) => endTimeMillis !== undefined)).toHaveLength(13)
  })

  it.each(['end, then stop', 'by itself'])(
    'to which a tracker of its own logs has its figures, %s',
    async (way) => {
      const comet = await startComet()
      const folder = temporaryFolder()
      const env = environmentOf(comet, folder)
      const ended = await runProgram('comet-own-tracker.js', [way], { folder, env })
      expect(ended.code).toBe(0)
      if (way !== 'by itself') expect(ended.stdout).toBe('stopped true\n')
      const { row } = await readAsPanel(comet, comet.experiment.key)
      expect(row).toMatchObject({ project_name: 'own', country_iso_code: 'FRA' })
      const [local] = readTable(join(folder, 'out/emissions.csv'))
      expect(row['run_id']).toBe(local?.['run_id'])
      const names = comet.experiment.metrics.map(({ metricName }) => metricName)
      expect(names).toContain('codecarbon_task_energy_consumed')
      expect(archives(folder)).toEqual([])
      expect(ended.stderr).not.toMatch(/WARNING.*(?:Comet|output)/)
    },
  )

  it.each(['endSync', 'exit'])(
    'to which a tracker of its own logs has its figures in the archive, %s',
    async (way) => {
      const comet = await startComet()
      const folder = temporaryFolder()
      const env = environmentOf(comet, folder)
      await runProgram('comet-own-tracker.js', [way], { folder, env })
      const [archive = ''] = archives(folder)
      const upload = await runCli(['comet', 'upload', join(folder, '.cometml-runs', archive)], {
        folder,
        env,
      })
      expect(upload.code).toBe(0)
      const { row } = await readAsPanel(comet, comet.experiment.key)
      const [local] = readTable(join(folder, 'out/emissions.csv'))
      if (way === 'exit') expect(row).toEqual(local)
      expect(row['run_id']).toBe(local?.['run_id'])
    },
  )

  it('has its messages in a file as well, where one is named', async () => {
    const comet = await startComet()
    const folder = temporaryFolder()
    const env = { ...environmentOf(comet, folder), COMET_LOGGING_FILE: join(folder, 'comet.log') }
    await runProgram('comet-experiment.js', ['end'], { folder, env })
    const lines = readFileSync(join(folder, 'comet.log'), 'utf8')
    expect(lines).toMatch(
      /^\d{4}-\S+Z INFO Comet: this experiment is at http:\/\/127\.0\.0\.1:\d+\/ada\/digits\/\w+\n$/,
    )
    const bad = {
      ...env,
      COMET_LOGGING_FILE: join(folder, 'nowhere/comet.log'),
      COMET_LOGGING_FILE_LEVEL: 'debug',
    }
    const ended = await runProgram('comet-experiment.js', ['end'], { folder, env: bad })
    expect(ended.code).toBe(0)
    expect(ended.stderr.match(/COMET_LOGGING_FILE: .* cannot be written/g)).toHaveLength(1)
  })

  it('without a key or with emissions turned off has no tracker and goes on', async () => {
    const comet = await startComet()
    const none = await program(comet, 'end', { COMET_API_KEY: '' })
    expect(none.ended).toMatchObject({ code: 0, stdout: 'state disabled\nended ended\n' })
    expect(existsSync(join(none.folder, 'out'))).toBe(false)
    const off = await program(comet, 'end', { COMET_AUTO_LOG_CO2: 'false' })
    expect(off.ended).toMatchObject({ code: 0 })
    expect(comet.experiment.assets).toEqual([])
    expect(comet.experiment.metrics.map(({ metricName }) => metricName)).toEqual(['loss'])
  })
})

describe('codecarbon run', () => {
  const command = ['--', process.execPath, '-e', 'setTimeout(() => process.exit(7), 300)']

  it('logs a command to Comet by itself where there is a key', async () => {
    const comet = await startComet()
    const folder = temporaryFolder()
    const ended = await runCli(['run', '--project-name', 'job', ...command], {
      folder,
      env: { ...environmentOf(comet, folder), COMET_PROJECT_NAME: '' },
    })
    expect(ended.code).toBe(7)
    expect(comet.experiment).toMatchObject({ projectName: 'job', hasCrashed: true, error: 'exit code 7' })
    expect(ended.stderr).toContain(`Logged to ${comet.url}/ada/job/${comet.experiment.key}\n`)
    const { row } = await readAsPanel(comet, comet.experiment.key)
    expect(row).toEqual(readTable(join(folder, 'out/emissions.csv'))[0])
    expect(archives(folder)).toEqual([])
  })

  it('does so with the key of a file, and not where that or a variable turns it off', async () => {
    const comet = await startComet()
    const folder = temporaryFolder()
    writeFileSync(
      join(folder, '.comet.config'),
      `[comet]\napi_key = ${apiKey}\nworkspace = ada\nurl_override = ${comet.url}\n`,
    )
    const { COMET_API_KEY: _key, ...env } = environmentOf(comet, folder)
    const options = { folder, env: { ...env, COMET_URL_OVERRIDE: '' } }
    expect((await runCli(['run', ...command], options)).code).toBe(7)
    expect(comet.experiments).toHaveLength(1)
    const off = { ...options, env: { ...options.env, COMET_AUTO_LOG_CO2: 'false' } }
    expect((await runCli(['run', ...command], off)).code).toBe(7)
    expect((await runCli(['run', '--offline', ...command], options)).code).toBe(7)
    expect(comet.experiments).toHaveLength(1)
  })

  it.each<[string, Fault]>([
    ['refuses the key', { status: 401 }],
    ['says nothing', 'hang'],
    ['resets every connection', 'reset'],
  ])('keeps the exit code of a command and its figures where the server %s', async (_title, fault) => {
    const comet = await startComet()
    comet.fail(fault)
    const folder = temporaryFolder()
    const begin = performance.now()
    const ended = await runCli(['run', '--quiet', ...command], { folder, env: environmentOf(comet, folder) })
    expect(performance.now() - begin).toBeLessThan(9000)
    expect(ended).toMatchObject({ code: 7, stdout: '' })
    expect(readTable(join(folder, 'out/emissions.csv'))).toHaveLength(1)
    expect(archives(folder)).toHaveLength(1)
    expect(ended.stderr).toContain('codecarbon comet upload')
    expect(ended.stderr).not.toContain(apiKey)
  })

  it('writes an archive where it is told to be offline, and makes no connection', async () => {
    const comet = await startComet()
    const folder = temporaryFolder()
    const ended = await runCli(['run', '--offline', '--output-methods', 'csv,comet', ...command], {
      folder,
      env: environmentOf(comet, folder),
    })
    expect(ended.code).toBe(7)
    expect(comet.seen).toEqual([])
    expect(archives(folder)).toHaveLength(1)
  })

  it('writes one without a key where Comet is to be offline, and says how to send it', async () => {
    const comet = await startComet()
    const folder = temporaryFolder()
    const env = { ...environmentOf(comet, folder), COMET_API_KEY: '', COMET_OFFLINE: 'true' }
    const ended = await runCli(['run', ...command], { folder, env })
    expect(ended.code).toBe(7)
    expect(comet.seen).toEqual([])
    const [archive = ''] = archives(folder)
    const told = /Logged to (.*); to send it: codecarbon comet upload (.*)\n/.exec(ended.stderr)
    expect(told?.[1]).toContain(archive)
    expect(told?.[2]).toBe(told?.[1])
  })
})
