import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAsPanel } from '../../fixtures/comet/panel.ts'
import { apiKey, startComet, type CometSimulator } from '../../fixtures/comet/simulator.ts'
import { readTable } from '../../fixtures/csv/table.ts'
import { startMlflow } from '../../fixtures/mlflow/server.ts'
import { startChild, type Ended } from '../../fixtures/programs/child.ts'
import { node, preload } from '../../fixtures/programs/register/preload.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

/** A program that does nothing for a moment. */
const calm = 'setTimeout(() => undefined, 300)'

async function run(
  env: Readonly<Record<string, string>>,
  program = calm,
): Promise<{ folder: string; ended: Ended }> {
  const folder = temporaryFolder()
  const ended = await startChild(node, ['-e', program], {
    folder,
    input: '',
    env: { CODECARBON_COUNTRY_ISO_CODE: 'FRA', NODE_OPTIONS: `--import ${preload}`, ...env },
  }).ended
  return { folder, ended }
}

const ofComet = (comet: CometSimulator): Record<string, string> => ({
  COMET_API_KEY: apiKey,
  COMET_URL_OVERRIDE: `${comet.url}/clientlib/`,
  COMET_WORKSPACE: 'ada',
  COMET_PROJECT_NAME: 'digits',
})

describe('a program that is tracked by preload', () => {
  it('is one experiment of Comet where a key is given, with its children', async () => {
    const comet = await startComet()
    const { ended, folder } = await run(
      ofComet(comet),
      `if (process.argv[2] === undefined && process.send === undefined) require('child_process').spawn(process.execPath, ['-e', '${calm}'])`,
    )
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: '' })
    const { row } = await readAsPanel(comet, comet.experiment.key)
    expect([row]).toEqual(readTable(join(folder, 'emissions.csv')))
    expect(comet.experiment.endTimeMillis).toBeDefined()
    expect(existsSync(join(folder, '.cometml-runs'))).toBe(false)
    expect(ended.stderr).not.toContain(apiKey)
  })

  it('is an archive where it ends otherwise than by itself', async () => {
    const comet = await startComet()
    const { ended, folder } = await run(ofComet(comet), 'setTimeout(() => process.exit(3), 300)')
    expect(ended).toMatchObject({ code: 3, stdout: '' })
    expect(readdirSync(join(folder, '.cometml-runs'))).toHaveLength(1)
  })

  it('is none where COMET_AUTO_LOG_CO2 says so', async () => {
    const comet = await startComet()
    const { ended } = await run({ ...ofComet(comet), COMET_AUTO_LOG_CO2: 'false' })
    expect(ended.code).toBe(0)
    expect(comet.seen).toEqual([])
  })

  it('is logged to the run of MLflow that the environment names', async () => {
    const server = await startMlflow()
    const { id } = server.addRun()
    const { ended, folder } = await run({ MLFLOW_TRACKING_URI: server.url, MLFLOW_RUN_ID: id })
    expect(ended).toMatchObject({ code: 0, stdout: '' })
    const [row] = readTable(join(folder, 'emissions.csv'))
    expect(server.files.get(`0/${id}/artifacts/emissions.csv`)?.text).toContain(`${row?.['run_id']},`)
    expect(server.run.params.get('codecarbon_country')).toBe('France')
  })
})
