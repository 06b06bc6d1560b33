import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { compatLabelNames, compatMetrics } from '../../src/exporters/compat-metrics.ts'
import { EmissionsTracker } from '../../src/index.ts'
import { upstreamColumns } from '../fixtures/csv/columns.ts'
import { environmentFor } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const python = process.env['E2E_PYTHON']
const script = fileURLToPath(new URL('python_codecarbon.py', import.meta.url))

if (python === undefined) {
  console.log(
    'Skipped: files shared with the Python CodeCarbon. Set E2E_PYTHON to a Python that has the packages codecarbon and pandas.',
  )
}

interface Frame {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

describe.skipIf(python === undefined)('a file shared with the Python CodeCarbon', () => {
  let folder: string
  let file: string

  beforeAll(() => {
    console.log(execFileSync(python ?? '', [script, 'versions'], { encoding: 'utf8' }).trim())
  })

  beforeEach(() => {
    folder = temporaryFolder()
    file = join(folder, 'emissions.csv')
  })

  const call = (...args: string[]): string =>
    execFileSync(python ?? '', [script, ...args], {
      encoding: 'utf8',
      cwd: folder,
      env: environmentFor(folder),
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  const pythonWrites = (run: string, mode = 'append', duration = 1): void => {
    call('write', folder, 'emissions.csv', mode, `python, "${run}"`, run, String(duration))
  }

  /** A run of ours; gives its id. */
  const weWrite = async (project: string, onCsvWrite: 'append' | 'update' = 'append'): Promise<string> => {
    const tracker = new EmissionsTracker({
      outputDir: folder,
      projectName: project,
      onCsvWrite,
      countryIsoCode: 'FRA',
      forceCarbonIntensityGCo2eKwh: 100,
      pue: 1.5,
      logLevel: 'error',
    }).start()
    if (onCsvWrite === 'update') await tracker.flush()
    await tracker.stop()
    return tracker.finalEmissionsData?.runId ?? expect.fail('there is no record')
  }

  const pandasReads = (): Frame => JSON.parse(call('read', file)) as Frame

  const python38 = (run: string): object => ({
    project_name: `python, "${run}"`,
    run_id: run,
    os: 'Linux, with a comma',
    cpu_model: 'a "quoted" model',
    region: null,
    longitude: null,
    ram_total_size: 0.5,
    on_cloud: 'N',
    wue: 0.5,
  })

  const ours = (project: string, run: string): object => ({
    project_name: project,
    run_id: run,
    python_version: `node ${process.version}`,
    country_iso_code: 'FRA',
    region: null,
    longitude: null,
    emissions: expect.any(Number) as number,
    tracking_mode: 'machine',
    on_cloud: 'N',
    pue: 1.5,
    wue: 0,
  })

  /** Nothing was renamed, nothing was left behind, and the columns are CodeCarbon's. */
  const expectSound = (frame: Frame): void => {
    expect(frame.columns).toEqual(upstreamColumns)
    expect(readdirSync(folder).filter((name) => name.startsWith('emissions'))).toEqual(['emissions.csv'])
    expect(existsSync(join(folder, 'emissions.csv.bak'))).toBe(false)
  }

  it('begun by Python takes our rows, and every row keeps its columns', async () => {
    pythonWrites('p1')
    const run = await weWrite('ours, "1"')
    pythonWrites('p2')
    const frame = pandasReads()
    expectSound(frame)
    expect(frame.rows).toMatchObject([python38('p1'), ours('ours, "1"', run), python38('p2')])
  })

  it('begun by us takes the rows of Python, and every row keeps its columns', async () => {
    const first = await weWrite('first\nline')
    pythonWrites('p1')
    const second = await weWrite('second')
    const frame = pandasReads()
    expectSound(frame)
    expect(frame.rows).toMatchObject([ours('first\nline', first), python38('p1'), ours('second', second)])
  })

  it('may be updated by either, which leaves the rows of the other', async () => {
    pythonWrites('p1', 'update', 1)
    const run = await weWrite('ours', 'update')
    pythonWrites('p1', 'update', 2)
    pythonWrites('p2', 'update', 3)
    const again = await weWrite('again', 'update')
    const frame = pandasReads()
    expectSound(frame)
    const byRun = new Map(frame.rows.map((row) => [row['run_id'], row]))
    expect(new Set(byRun.keys())).toEqual(new Set(['p1', 'p2', run, again]))
    expect(frame.rows).toHaveLength(4)
    expect(byRun.get('p1')).toMatchObject({ ...python38('p1'), duration: 2 })
    expect(byRun.get(run)).toMatchObject(ours('ours', run))
  })
})

describe.skipIf(python === undefined)('the metrics for dashboards of the Python CodeCarbon', () => {
  it('have its names, kinds and labels', () => {
    const text = execFileSync(python ?? '', [script, 'metrics'], {
      encoding: 'utf8',
      env: environmentFor(temporaryFolder()),
    })
    const { metrics, labels } = JSON.parse(text) as {
      metrics: [name: string, kind: string][]
      labels: string[]
    }
    // The client of Prometheus for Python says of each counter when it was made.
    const theirs = metrics.filter(([name]) => name !== 'codecarbon_energy_created')
    expect(compatMetrics.map(({ name, instrument }) => [name, instrument])).toEqual(theirs)
    expect(compatLabelNames).toEqual(labels)
  })
})
