import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { expect, it } from 'vitest'
import { OfflineEmissionsTracker } from '../../src/index.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const python = process.env['CODECARBON_E2E_PYTHON']
if (python === undefined) {
  console.log('CODECARBON_E2E_PYTHON is not set: nothing is tested against CodeCarbon for Python')
}

const pythonRun = (folder: string): void => {
  const program = `
from codecarbon import OfflineEmissionsTracker
tracker = OfflineEmissionsTracker(country_iso_code="FRA", output_dir=${JSON.stringify(folder)}, project_name="python", log_level="error", region="ile de france")
tracker.start()
sum(i * i for i in range(10**6))
tracker.stop()
`
  execFileSync(python ?? '', ['-c', program], { cwd: folder, stdio: 'pipe' })
}

const ourRun = async (folder: string, onCsvWrite: 'append' | 'update'): Promise<void> => {
  const tracker = new OfflineEmissionsTracker({
    ...{ countryIsoCode: 'FRA', outputDir: folder, projectName: 'node', logLevel: 'error', onCsvWrite },
  }).start()
  await tracker.flush()
  await tracker.stop()
}

const rowsIn = (folder: string): Record<string, string>[] =>
  parse(readFileSync(join(folder, 'emissions.csv')), { columns: true })

it.runIf(python !== undefined).each(['append', 'update'] as const)(
  'CodeCarbon for Python and we write to one file by turns, with onCsvWrite %s',
  async (onCsvWrite) => {
    const folder = temporaryFolder()
    await ourRun(folder, onCsvWrite)
    pythonRun(folder)
    await ourRun(folder, onCsvWrite)
    pythonRun(folder)
    const once = onCsvWrite === 'append' ? ['node', 'node'] : ['node']
    const rows = rowsIn(folder)
    expect(rows.map((row) => row['project_name'])).toEqual([...once, 'python', ...once, 'python'])
    for (const row of rows) {
      expect(row['tracking_mode']).toBe('machine')
      expect(Number(row['energy_consumed'])).toBeGreaterThan(0)
      expect(row['country_iso_code']).toBe('FRA')
    }
  },
)

it.runIf(python !== undefined)('pandas reads what we write, each column with its type', async () => {
  const folder = temporaryFolder()
  await ourRun(folder, 'append')
  const program = `
import pandas, sys
frame = pandas.read_csv("emissions.csv")
assert len(frame.columns) == 38, frame.columns
assert frame["emissions"].dtype == float and frame["duration"].dtype == float
print(len(frame))
`
  const printed = execFileSync(python ?? '', ['-c', program], { cwd: folder, encoding: 'utf8' })
  expect(printed.trim()).toBe('2')
})
