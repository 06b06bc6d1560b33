// Appending a row to a file of 10 rows against one of 200,000.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emissionsColumns } from '../build/exporters/csv/columns.js'
import { appendRow } from '../build/exporters/csv/csv-file.js'
import { compare } from './measure.js'

/** @returns {import('./measure.js').Row[]} */
export function benchCsv() {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  try {
    const row = Object.fromEntries(emissionsColumns.map((column, index) => [column, index * 1.5]))
    const [short, long] = [join(folder, 'short.csv'), join(folder, 'long.csv')]
    for (let count = 0; count < 10; count += 1) appendRow(short, emissionsColumns, row)
    copyFileSync(short, long)
    const line = `${emissionsColumns.map((_, index) => index * 1.5).join(',')}\n`
    writeFileSync(long, line.repeat(200_000), { flag: 'a' })
    const append = (/** @type {string} */ path) => () => appendRow(path, emissionsColumns, row)
    const times = compare(append(long), append(short), { rounds: 30, calls: 30 })
    return [
      {
        what: 'CSV append: file of 200,000 rows; of 10 rows',
        ours: `${times.first.toFixed(0)} us`,
        base: `${times.second.toFixed(0)} us`,
        result: `${times.ratio.toFixed(2)}x`,
        goal: 'about 1x',
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
