import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'csv-stringify/sync'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { EnergyError } from '../../../src/core/errors.ts'
import { createCsvExporter, type CsvExporterOptions } from '../../../src/exporters/csv/csv-exporter.ts'
import { itIsAnExporter } from '../../contract/exporter.ts'
import { upstreamColumns, upstreamTaskColumns } from '../../fixtures/csv/columns.ts'
import { accounted, recordOf, reportOf, taskOf, unmeasuredRecord } from '../../fixtures/csv/records.ts'
import { parseCells, parseTable, readTable } from '../../fixtures/csv/table.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string
let file: string
let state: string

beforeEach((context) => {
  folder = temporaryFolder()
  file = join(folder, 'emissions.csv')
  state = join(folder, 'state/codecarbon')
  vi.stubEnv('XDG_STATE_HOME', join(folder, 'state'))
  context.onTestFinished(() => {
    vi.unstubAllEnvs()
  })
})

const exporterIn = (options: Partial<CsvExporterOptions> = {}): ReturnType<typeof createCsvExporter> =>
  createCsvExporter({
    outputDir: folder,
    outputFile: 'emissions.csv',
    onCsvWrite: 'append',
    csvSchema: 'codecarbon',
    experimentName: 'base',
    ...options,
  })

const read = (path = file): string => readFileSync(path, 'utf8')
const headerLine = upstreamColumns.join(',')
/** A line of a file as another program wrote it; cells that are not given are empty. */
const lineOf = (
  cells: Readonly<Record<string, string>>,
  columns: readonly string[] = upstreamColumns,
  newline = '\n',
): string => stringify([columns.map((column) => cells[column] ?? '')], { record_delimiter: newline })

itIsAnExporter('the CSV file', () => {
  const exporter = exporterIn()
  return {
    exporter,
    delivered: () => readTable(file).map((row) => row['run_id'] ?? ''),
    deliveredTasks: () =>
      readTable(join(folder, 'emissions_base_run-1.csv')).map((row) => row['task_name'] ?? ''),
  }
})

describe('a new file', () => {
  it("has CodeCarbon's header and one row a run", async () => {
    await exporterIn().export(reportOf('stop'))
    const [header, row, ...rest] = parseCells(read())
    expect(header).toEqual(upstreamColumns)
    expect(row).toHaveLength(38)
    expect(rest).toEqual([])
  })

  it('is what it was: the golden file', async () => {
    await exporterIn().export(reportOf('stop'))
    await exporterIn().export(reportOf('stop', unmeasuredRecord({ runId: 'run-2', projectName: 'a "b", c' })))
    await expect(read()).toMatchFileSnapshot('../../golden/emissions.csv')
  })

  it('has the columns of the extended schema after the others', async () => {
    const gap = { code: 'ERR_COUNTER_GAP', subject: 'package-0', message: 'lost', count: 1, gap: 2 } as never
    const record = recordOf({ ...accounted, problems: [gap] })
    await exporterIn({ csvSchema: 'extended' }).export(reportOf('stop', record))
    await expect(read()).toMatchFileSnapshot('../../golden/emissions-extended.csv')
    expect(parseCells(read())[0]?.slice(0, 38)).toEqual(upstreamColumns)
  })

  it('is begun in a file that is empty', async () => {
    writeFileSync(file, '')
    await exporterIn().export(reportOf('stop'))
    expect(readTable(file)).toHaveLength(1)
    expect(readdirSync(folder)).toEqual(['emissions.csv'])
  })

  it('is made with its folders, where they are missing', async () => {
    const outputDir = join(folder, 'a/b')
    await exporterIn({ outputDir, outputFile: 'c/runs.csv' }).export(reportOf('stop'))
    expect(readTable(join(outputDir, 'c/runs.csv'))).toHaveLength(1)
  })

  it('may be named by a path of its own', async () => {
    const elsewhere = join(folder, 'elsewhere.csv')
    const exporter = exporterIn({ outputDir: join(folder, 'unused'), outputFile: elsewhere })
    await exporter.export(reportOf('stop'))
    expect(exporter.path).toBe(elsewhere)
    expect(readTable(elsewhere)).toHaveLength(1)
  })
})

describe('a cell', () => {
  it('is empty where a figure is unknown, and no cell moves into its place', async () => {
    await exporterIn().export(reportOf('stop', unmeasuredRecord()))
    const [row] = readTable(file)
    for (const column of ['emissions', 'cpu_power', 'ram_energy', 'energy_consumed', 'region', 'longitude']) {
      expect(row).toHaveProperty(column, '')
    }
    expect(row).toMatchObject({ on_cloud: 'N', pue: '1', wue: '0', country_iso_code: 'FRA' })
  })

  it('is 0 where a figure is zero', async () => {
    await exporterIn().export(reportOf('stop', recordOf({ emissions: 0, cpuUtilizationPercent: 0 })))
    expect(readTable(file)[0]).toMatchObject({ emissions: '0', cpu_utilization_percent: '0' })
  })

  it.each([
    ['a number below a millionth', 4.4e-9],
    ['a number with all its digits', 0.1 + 0.2],
    ['a large number', 1e21],
  ])('keeps %s to the last digit', async (_, emissions) => {
    await exporterIn().export(reportOf('stop', recordOf({ emissions })))
    expect(Number(readTable(file)[0]?.['emissions'])).toBe(emissions)
  })

  const texts = [
    ['a quote', 'say "hi"'],
    ['commas', 'a,b,,c'],
    ['a line feed', 'a\nb'],
    ['a carriage return and line feed', 'a\r\nb'],
    ['a carriage return', 'a\rb'],
    ['letters of every script', 'Zürich 東京 🌍 א'],
    ['the beginning of a formula', '=HYPERLINK("x")'],
    ['a tab and spaces around', '\t a '],
    ['a quote alone', '"'],
    ['a line break at its end', 'a\n'],
    ['a comment sign', '#1'],
    ['a byte order mark', '\uFEFFa'],
  ] as const

  it.each(texts)('holds %s', async (_, text) => {
    const exporter = exporterIn()
    await exporter.export(reportOf('stop', recordOf({ projectName: text, cpuModel: text })))
    await exporter.export(reportOf('stop', recordOf({ runId: 'run-2' })))
    const rows = readTable(file)
    expect(rows.map((row) => row['project_name'])).toEqual([text, 'digits'])
    expect(rows[0]?.['cpu_model']).toBe(text)
  })

  it.each(texts)('holds %s in a file with CRLF', async (_, text) => {
    writeFileSync(file, `${headerLine}\r\n`)
    await exporterIn().export(reportOf('stop', recordOf({ projectName: text, cpuModel: text })))
    const rows = readTable(file)
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({ project_name: text, cpu_model: text })
  })

  it.each(['a\rb', 'a\r\nb', 'a\nb'])(
    'with a line break stands in quotes, for readers of every kind',
    async (text) => {
      await exporterIn().export(reportOf('stop', recordOf({ projectName: text })))
      expect(read()).toContain(`"${text}"`)
    },
  )
})

describe('appending', () => {
  it('adds a row at each flush and at the end', async () => {
    const exporter = exporterIn()
    await exporter.export(reportOf('flush', recordOf({ duration: 1 })))
    await exporter.export(reportOf('live', recordOf({ duration: 2 })))
    await exporter.export(reportOf('stop', recordOf({ duration: 3 })))
    expect(readTable(file).map((row) => row['duration'])).toEqual(['1', '3'])
  })

  it('follows the order of a file whose header has another one', async () => {
    const reversed = [...upstreamColumns].reverse()
    writeFileSync(file, `${reversed.join(',')}\n`)
    await exporterIn().export(reportOf('stop'))
    expect(parseCells(read())[0]).toEqual(reversed)
    expect(readTable(file)[0]).toMatchObject({ run_id: 'run-1', duration: '120', wue: '0' })
  })

  it('leaves columns empty that it knows nothing of', async () => {
    const more = ['team', ...upstreamColumns, 'note']
    writeFileSync(file, `${more.join(',')}\n${lineOf({ team: 'x', run_id: 'old', note: 'y' }, more)}`)
    await exporterIn().export(reportOf('stop'))
    const rows = readTable(file)
    expect(rows[0]).toMatchObject({ team: 'x', run_id: 'old', note: 'y' })
    expect(rows[1]).toMatchObject({ team: '', run_id: 'run-1', note: '' })
  })

  it('keeps the line ends of a file with CRLF', async () => {
    writeFileSync(file, `${headerLine}\r\n${lineOf({ run_id: 'old' }, upstreamColumns, '\r\n')}`)
    await exporterIn().export(reportOf('stop'))
    expect(read().replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(readTable(file)).toHaveLength(2)
  })

  it('begins a line of its own where the last one has no end', async () => {
    writeFileSync(file, `${headerLine}\n${lineOf({ run_id: 'old' }).trimEnd()}`)
    await exporterIn().export(reportOf('stop'))
    expect(readTable(file).map((row) => row['run_id'])).toEqual(['old', 'run-1'])
  })

  it('begins a line of its own after a header without an end', async () => {
    writeFileSync(file, headerLine)
    await exporterIn().export(reportOf('stop'))
    expect(readTable(file).map((row) => row['run_id'])).toEqual(['run-1'])
  })

  it('understands a header with a byte order mark, quotes and spaces, as spreadsheets write it', async () => {
    const before = `\uFEFF${upstreamColumns.map((column) => `"${column}"`).join(',')}\r\n`
    writeFileSync(file, before)
    await exporterIn().export(reportOf('stop'))
    expect(read().startsWith(before)).toBe(true)
    expect(readTable(file)[0]).toMatchObject({ timestamp: '2026-08-08T12:00:00', wue: '0' })
    expect(readdirSync(folder)).toEqual(['emissions.csv'])
  })

  it('leaves every byte before the new row as it was, even those that are no text', async () => {
    const before = Buffer.concat([Buffer.from(`${headerLine}\nx,y`), Buffer.from([0xe9, 0xff, 0x0a])])
    writeFileSync(file, before)
    await exporterIn().export(reportOf('stop'))
    expect(readFileSync(file).subarray(0, before.length)).toEqual(before)
  })

  it('writes through a link and leaves it a link', async () => {
    const target = join(folder, 'target.csv')
    writeFileSync(target, `${headerLine}\n`)
    symlinkSync(target, file)
    await exporterIn().export(reportOf('stop'))
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
    expect(readTable(target)).toHaveLength(1)
  })

  it('leaves no lock behind', async () => {
    await exporterIn().export(reportOf('stop'))
    expect(readdirSync(folder)).toEqual(['emissions.csv'])
  })
})

describe('a file of an older version', () => {
  const older = upstreamColumns.filter(
    (column) => !['water_consumed', 'pue', 'wue', 'ram_used_gb'].includes(column),
  )
  const rows = [
    { run_id: 'a', project_name: 'one, "two"', emissions: '0.5', on_cloud: 'N' },
    { run_id: 'b', project_name: 'zwei\nZeilen', emissions: '0.25', on_cloud: 'Y' },
  ]

  it('gets the columns that it lacks, and its rows keep what they have', async () => {
    writeFileSync(file, [`${older.join(',')}\n`, ...rows.map((row) => lineOf(row, older))].join(''))
    await exporterIn().export(reportOf('stop'))
    const table = readTable(file)
    expect(parseCells(read())[0]).toEqual(upstreamColumns)
    expect(table.slice(0, 2)).toEqual([expect.objectContaining(rows[0]), expect.objectContaining(rows[1])])
    expect(table[0]).toMatchObject({ water_consumed: '', pue: '' })
    expect(table[2]).toMatchObject({ run_id: 'run-1', pue: '1' })
    expect(readdirSync(folder)).toEqual(['emissions.csv'])
  })

  it('keeps the columns that the new version has no more', async () => {
    const columns = [...older, 'gpu_driver']
    writeFileSync(file, `${columns.join(',')}\n${lineOf({ run_id: 'a', gpu_driver: '535' }, columns)}`)
    await exporterIn().export(reportOf('stop'))
    expect(readTable(file).map((row) => row['gpu_driver'])).toEqual(['535', ''])
  })

  it('gets the columns of the extended schema when that is asked for', async () => {
    await exporterIn().export(reportOf('stop'))
    await exporterIn({ csvSchema: 'extended' }).export(reportOf('stop', recordOf({ runId: 'run-2' })))
    const table = readTable(file)
    expect(table.map((row) => row['run_id'])).toEqual(['run-1', 'run-2'])
    expect(table.map((row) => row['measured_share'])).toEqual(['', '0.9'])
  })

  it('keeps its line ends and its permissions', async () => {
    writeFileSync(file, `${older.join(',')}\r\n${lineOf(rows[0] ?? {}, older, '\r\n')}`)
    chmodSync(file, 0o640)
    await exporterIn().export(reportOf('stop'))
    expect(read().replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  it('keeps rows whose lines end otherwise than its header, and bytes that are no UTF-8', async () => {
    const more = Array.from({ length: 3 }, (_, index) =>
      lineOf({ run_id: `r${index}`, os: 'Z\xfcrich' }, older),
    )
    writeFileSync(file, Buffer.from(`${older.join(',')}\r\n${more.join('')}`, 'latin1'))
    await exporterIn().export(reportOf('stop'))
    const rows = parseTable(readFileSync(file, 'latin1'))
    expect(rows.map((row) => row['run_id'])).toEqual(['r0', 'r1', 'r2', 'run-1'])
    expect(rows[0]).toMatchObject({ os: 'Z\xfcrich' })
  })

  it('keeps rows that are shorter than its header, as CodeCarbon wrote them', async () => {
    writeFileSync(file, `${older.join(',')}\nt,p,short\n`)
    await exporterIn().export(reportOf('stop'))
    expect(readTable(file)[0]).toMatchObject({ timestamp: 't', project_name: 'p', run_id: 'short' })
  })
})

describe('a file of something else', () => {
  it('is renamed to .bak and kept as it is', async () => {
    writeFileSync(file, 'name,age\nAda,36\n')
    await exporterIn().export(reportOf('stop'))
    expect(read(`${file}.bak`)).toBe('name,age\nAda,36\n')
    expect(readTable(file)).toHaveLength(1)
  })

  it('is renamed to _0.bak, then _1.bak, where .bak is taken', async () => {
    for (const content of ['one\n', 'two\n', 'three\n']) {
      writeFileSync(file, content)
      await exporterIn().export(reportOf('stop'))
    }
    expect(read(`${file}.bak`)).toBe('one\n')
    expect(read(`${file}_0.bak`)).toBe('two\n')
    expect(read(`${file}_1.bak`)).toBe('three\n')
  })

  it.each([
    ['a file of zeros', Buffer.alloc(2000)],
    ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff, 0x22, 0x00])],
    ['a first line with a quote that never ends', Buffer.from('"run_id,emissions\n1,2\n')],
    ['lines that are all empty', Buffer.from('\n\n\n')],
  ])('is kept where it is %s', async (_, content) => {
    writeFileSync(file, content)
    await exporterIn().export(reportOf('stop'))
    expect(readFileSync(`${file}.bak`)).toEqual(content)
    expect(readTable(file)).toHaveLength(1)
  })
})

describe('updating', () => {
  const exporterUpdating = (): ReturnType<typeof createCsvExporter> => exporterIn({ onCsvWrite: 'update' })

  it('keeps one row a run, with the latest figures', async () => {
    const exporter = exporterUpdating()
    await exporter.export(reportOf('flush', recordOf({ duration: 1 })))
    await exporter.export(reportOf('flush', recordOf({ duration: 2 })))
    await exporter.export(reportOf('stop', recordOf({ duration: 3 })))
    await exporterUpdating().export(reportOf('stop', recordOf({ runId: 'run-2' })))
    expect(readTable(file).map((row) => [row['run_id'], row['duration']])).toEqual([
      ['run-1', '3'],
      ['run-2', '120'],
    ])
  })

  /** Replaces the row of `run-1` in a file that holds it between two texts, and looks at these. */
  const expectKept = async (before: Buffer, own: string, after: Buffer): Promise<void> => {
    writeFileSync(file, Buffer.concat([before, Buffer.from(own), after]))
    await exporterUpdating().export(reportOf('stop', recordOf({ duration: 7 })))
    const content = readFileSync(file)
    expect(content.subarray(0, before.length)).toEqual(before)
    expect(content.subarray(content.length - after.length)).toEqual(after)
    const own2 = content.subarray(before.length, content.length - after.length).toString()
    const [row] = parseTable(`${headerLine}\n${own2}`)
    expect(row).toMatchObject({ run_id: 'run-1', duration: '7' })
  }
  const own = lineOf({ run_id: 'run-1' })

  it.each([
    [
      'quotes where none are needed, and numbers in odd forms',
      `"t","p","other",,1.50,5e-01${','.repeat(32)}\n`,
    ],
    ['line breaks in quotes', lineOf({ run_id: 'other', project_name: 'a\nrun-1,b\n' })],
    ['CRLF at some lines', lineOf({ run_id: 'other' }, upstreamColumns, '\r\n')],
    ['letters of every script', lineOf({ run_id: 'other', project_name: 'Zürich 東京 🌍' })],
    ['rows too short and too long', `t,p,other\nt,p,other2${','.repeat(50)}\n`],
    ['lines that are empty', '\n\n'],
    ['a quote in the middle of a cell', `t,5" disk,other${','.repeat(35)}\n`],
  ])('leaves other rows as they are to the byte: %s', async (_, others) => {
    await expectKept(Buffer.from(`${headerLine}\n${others}`), own, Buffer.from(others))
  })

  it('leaves bytes of other rows as they are that are no UTF-8', async () => {
    const latin1 = Buffer.from(`t,Z\xfcrich,other${','.repeat(35)}\n`, 'latin1')
    await expectKept(Buffer.concat([Buffer.from(`${headerLine}\n`), latin1]), own, latin1)
  })

  it('leaves a byte order mark where it is', async () => {
    await expectKept(Buffer.from(`\uFEFF${headerLine}\n`), own, Buffer.from(''))
  })

  it('leaves the rows after its own as they are where the header alone ends in CRLF', async () => {
    const others = lineOf({ run_id: 'other' })
    await expectKept(Buffer.from(`${headerLine}\r\n${others}`), own, Buffer.from(others))
  })

  it('leaves the rows after its own as they are where the header alone ends in LF', async () => {
    const others = lineOf({ run_id: 'other' }, upstreamColumns, '\r\n')
    const ownCrlf = lineOf({ run_id: 'run-1' }, upstreamColumns, '\r\n')
    await expectKept(Buffer.from(`${headerLine}\n${others}`), ownCrlf, Buffer.from(others))
  })

  it('replaces the last of several rows of the same run, and no other', async () => {
    const older = lineOf({ run_id: 'run-1', duration: '1' })
    await expectKept(Buffer.from(`${headerLine}\n${older}`), own, Buffer.from(''))
  })

  it('replaces a last row without a line end', async () => {
    await expectKept(Buffer.from(`${headerLine}\n`), own.trimEnd(), Buffer.from(''))
  })

  it('adds its row to a file of other runs, whatever their ids', async () => {
    writeFileSync(file, `${headerLine}\n${lineOf({ run_id: 'None' })}${lineOf({ run_id: '' })}`)
    await exporterUpdating().export(reportOf('stop'))
    expect(readTable(file).map((row) => row['run_id'])).toEqual(['None', '', 'run-1'])
  })

  it('keeps the permissions of the file', async () => {
    writeFileSync(file, `${headerLine}\n${own}`)
    chmodSync(file, 0o604)
    await exporterUpdating().export(reportOf('stop'))
    expect(statSync(file).mode & 0o777).toBe(0o604)
  })

  it('writes through a link and leaves it a link', async () => {
    mkdirSync(join(folder, 'deep'))
    const target = join(folder, 'deep/target.csv')
    writeFileSync(target, `${headerLine}\n${own}`)
    symlinkSync('deep/target.csv', file)
    await exporterUpdating().export(reportOf('stop', recordOf({ duration: 7 })))
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
    expect(readTable(target).map((row) => row['duration'])).toEqual(['7'])
    expect(readdirSync(join(folder, 'deep'))).toEqual(['target.csv'])
  })

  it('replaces the row of a signal with the final one, even where rows are appended', async () => {
    const exporter = exporterIn()
    exporter.exportSync?.(reportOf('signal', recordOf({ duration: 1 })))
    expect(readTable(file).map((row) => row['duration'])).toEqual(['1'])
    await exporter.export(reportOf('stop', recordOf({ duration: 2 })))
    expect(readTable(file).map((row) => row['duration'])).toEqual(['2'])
  })

  it('keeps the rows of flushes apart from the row of a signal', async () => {
    const exporter = exporterIn()
    await exporter.export(reportOf('flush', recordOf({ duration: 1 })))
    exporter.exportSync?.(reportOf('signal', recordOf({ duration: 2 })))
    exporter.exportSync?.(reportOf('signal', recordOf({ duration: 3 })))
    await exporter.export(reportOf('stop', recordOf({ duration: 4 })))
    expect(readTable(file).map((row) => row['duration'])).toEqual(['1', '4'])
  })
})

describe('the file of tasks', () => {
  it('stands beside that of runs, under the names of experiment and run', async () => {
    await exporterIn({ experimentName: 'night' }).export(
      reportOf('stop', recordOf(), [taskOf('load'), taskOf('train, "twice"')]),
    )
    const path = join(folder, 'emissions_night_run-1.csv')
    expect(parseCells(read(path))[0]).toEqual(upstreamTaskColumns)
    expect(readTable(path).map((row) => row['task_name'])).toEqual(['load', 'train, "twice"'])
  })

  it('grows with each report', async () => {
    const exporter = exporterIn({ onCsvWrite: 'update' })
    await exporter.export(reportOf('flush', recordOf(), [taskOf('a')]))
    await exporter.export(reportOf('stop', recordOf(), [taskOf('b')]))
    expect(readTable(join(folder, 'emissions_base_run-1.csv')).map((row) => row['task_name'])).toEqual([
      'a',
      'b',
    ])
  })

  it.each(['../up', 'a/b', String.raw`a\b`, 'a:b', 'a\0b'])(
    'stays in its folder for an experiment called %j',
    async (experimentName) => {
      await exporterIn({ experimentName }).export(reportOf('stop', recordOf(), [taskOf('a')]))
      const names = readdirSync(folder).filter((name) => name.startsWith('emissions_'))
      expect(names).toHaveLength(1)
    },
  )
})

describe('where a row cannot be written', () => {
  const toldBy = (
    options: Partial<CsvExporterOptions> = {},
  ): [ReturnType<typeof createCsvExporter>, string[]] => {
    const told: string[] = []
    return [exporterIn({ onFallback: (message) => told.push(message), ...options }), told]
  }
  const stateFile = (): string => join(state, 'emissions.csv')

  it('goes to the state directory, and the user is told once', async () => {
    const outputDir = join(folder, 'taken')
    writeFileSync(outputDir, 'a file in the place of the folder')
    const [exporter, told] = toldBy({ outputDir })
    await exporter.export(reportOf('flush'))
    await exporter.export(reportOf('stop', recordOf(), [taskOf('epoch')]))
    expect(readTable(stateFile())).toHaveLength(2)
    expect(readTable(join(state, 'emissions_base_run-1.csv'))).toHaveLength(1)
    expect(exporter.path).toBe(stateFile())
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(join(outputDir, 'emissions.csv'))
    expect(told[0]).toContain(stateFile())
  })

  it('tells the user once where tasks and run both have to go elsewhere', async () => {
    const outputDir = join(folder, 'taken')
    writeFileSync(outputDir, '')
    const [exporter, told] = toldBy({ outputDir })
    await exporter.export(reportOf('stop', recordOf(), [taskOf('epoch')]))
    expect(readTable(stateFile())).toHaveLength(1)
    expect(readTable(join(state, 'emissions_base_run-1.csv'))).toHaveLength(1)
    expect(told).toHaveLength(1)
  })

  it('keeps the row of an update in one place after it had to go elsewhere', async () => {
    const outputDir = join(folder, 'taken')
    writeFileSync(outputDir, '')
    const [exporter] = toldBy({ outputDir, onCsvWrite: 'update' })
    await exporter.export(reportOf('flush', recordOf({ duration: 1 })))
    await exporter.export(reportOf('stop', recordOf({ duration: 2 })))
    expect(readTable(stateFile()).map((row) => row['duration'])).toEqual(['2'])
  })

  it('goes to the state directory where the folder may not be written', async () => {
    await exporterIn({ outputDir: join(folder, 'warm') }).export(reportOf('stop'))
    const outputDir = join(folder, 'read-only')
    mkdirSync(outputDir)
    chmodSync(outputDir, 0o555)
    mkdirSync(state, { recursive: true })
    for (const path of [folder, join(folder, 'state'), state]) chmodSync(path, 0o777)
    const [exporter, told] = toldBy({ outputDir })
    asNobody(() => {
      exporter.exportSync?.(reportOf('stop'))
    })
    expect(readdirSync(outputDir)).toEqual([])
    expect(readTable(stateFile())).toHaveLength(1)
    expect(told).toHaveLength(1)
  })

  it('goes to the state directory where the path is a folder', async () => {
    mkdirSync(file)
    const [exporter, told] = toldBy()
    await exporter.export(reportOf('stop'))
    expect(readTable(stateFile())).toHaveLength(1)
    expect(existsSync(`${file}.bak`)).toBe(false)
    expect(told).toHaveLength(1)
  })

  it('leaves an update of a file that cannot be read as CSV alone and goes to the state directory', async () => {
    const broken = `${headerLine}\nt,"a quote that never ends,run-1\n`
    writeFileSync(file, broken)
    const [exporter, told] = toldBy({ onCsvWrite: 'update' })
    await exporter.export(reportOf('stop'))
    expect(read()).toBe(broken)
    expect(readTable(stateFile())).toHaveLength(1)
    expect(told).toHaveLength(1)
  })

  it('is an error with a code only where the state directory cannot be written either', async () => {
    const outputDir = join(folder, 'taken')
    writeFileSync(outputDir, '')
    writeFileSync(join(folder, 'state'), '')
    const [exporter] = toldBy({ outputDir })
    const error: unknown = await Promise.resolve(exporter.export(reportOf('stop'))).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'ERR_EXPORT_FAILED' } satisfies Partial<EnergyError>)
    expect((error as Error).message).toContain(stateFile())
    expect(() => exporter.exportSync?.(reportOf('stop', recordOf({ runId: 'run-2' })))).toThrow(stateFile())
  })
})

/** Runs something synchronous without the rights of root, where this process has them. */
function asNobody(action: () => void): void {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    action()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}
