import { readdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { createCsvExporter } from '../../../src/exporters/csv/csv-exporter.ts'
import { upstreamColumns } from '../../fixtures/csv/columns.ts'
import { reportOf } from '../../fixtures/csv/records.ts'
import { parseTable, readTable } from '../../fixtures/csv/table.ts'
import {
  runProgram,
  startChild,
  startProgram,
  stateFolder,
  type Ended,
} from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = temporaryFolder()
  file = join(folder, 'emissions.csv')
})

const header = `${upstreamColumns.join(',')}\n`
const seedRow = (index: number): string =>
  `2026-08-08T12:00:00,seed ${index},seed-${index}${',0.000001'.repeat(upstreamColumns.length - 3)}\n`
const seed = (count: number): string => Array.from({ length: count }, (_, index) => seedRow(index)).join('')

describe('eight processes that write fifty runs each into one file', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const projects = names
    .flatMap((name) => Array.from({ length: 50 }, (_, run) => `${name}-${run}`))
    .toSorted()

  it.each([
    ['append', 2],
    ['update', 1],
  ] as const)('lose no row and break none when they %s', async (onCsvWrite, rowsOfRun) => {
    const env = {
      CODECARBON_OUTPUT_DIR: folder,
      CODECARBON_ON_CSV_WRITE: onCsvWrite,
      CODECARBON_LOG_LEVEL: 'warning',
    }
    const ended = await Promise.all(
      names.map((name) => runProgram('many-runs.js', ['50', name], { folder, env })),
    )
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(names.map(() => [0, '']))
    const rows = readTable(file)
    const expected = projects.flatMap((project) => Array<string>(rowsOfRun).fill(project))
    expect(rows.map((row) => row['project_name'] ?? '').toSorted()).toEqual(expected)
    expect(readdirSync(folder).toSorted()).toEqual(['emissions.csv', 'home'])
  })
})

describe('a process that is killed while it rewrites the file', () => {
  const seeds = 3000
  const before = header + seed(seeds)
  const env = {
    CODECARBON_OUTPUT_DIR: '',
    CODECARBON_ON_CSV_WRITE: 'update',
    CODECARBON_LOG_LEVEL: 'warning',
  }

  /** Kills a process as soon as it has made a file beside the one that it is about to replace. */
  const killRewriting = async (): Promise<void> => {
    const child = startProgram('flush-for-ever.js', [], {
      folder,
      env: { ...env, CODECARBON_OUTPUT_DIR: folder },
    })
    await child.printed('saved')
    const watcher = watch(folder, (_, name) => {
      if (name?.endsWith('.tmp') === true) child.process.kill('SIGKILL')
    })
    expect((await child.ended).signal).toBe('SIGKILL')
    watcher.close()
  }

  it('leaves every other row as it was, and its lock stops nobody', async () => {
    writeFileSync(file, before)
    for (let round = 1; round <= 6; round += 1) {
      await killRewriting()
      const text = readFileSync(file, 'utf8')
      expect(text.startsWith(before)).toBe(true)
      const own = parseTable(text).slice(seeds)
      expect(own.map((row) => row['project_name'])).toEqual(Array(round).fill('killed'))
      const exporter = nextWriter()
      // Gives up at a lock after two seconds, and then writes elsewhere.
      exporter.exportSync?.(reportOf('stop'))
      expect(exporter.path).toBe(file)
      writeFileSync(file, text)
    }
  })

  it('leaves no other file behind for good', async () => {
    writeFileSync(file, before)
    for (let round = 0; round < 3; round += 1) await killRewriting()
    await runProgram('many-runs.js', ['1', 'last'], {
      folder,
      env: { ...env, CODECARBON_OUTPUT_DIR: folder },
    })
    expect(readdirSync(folder).filter((name) => name !== 'home')).toEqual(['emissions.csv'])
  })
})

const nextWriter = (): ReturnType<typeof createCsvExporter> =>
  createCsvExporter({
    outputDir: folder,
    outputFile: 'emissions.csv',
    onCsvWrite: 'append',
    csvSchema: 'codecarbon',
    experimentName: 'base',
  })

describe.skipIf(process.platform === 'win32')('a disk that is full', () => {
  /** Runs a program that may not make a file longer than 8 KiB: the kernel cuts a write at that length, as on a full disk. */
  const runLimited = (onCsvWrite: string): Promise<Ended> => {
    const program = fileURLToPath(new URL('../../fixtures/programs/many-runs.js', import.meta.url))
    const env = {
      CODECARBON_OUTPUT_DIR: folder,
      CODECARBON_ON_CSV_WRITE: onCsvWrite,
      CODECARBON_LOG_LEVEL: 'warning',
    }
    const script = `ulimit -f 8 && exec "${process.execPath}" "${program}" 1 full`
    return startChild('bash', ['-c', script], { folder, env, input: '' }).ended
  }

  /** As many whole rows as there is room for in front of the limit, and less room than a row needs. */
  const filledUp = (head: string, row: (index: number) => string): string => {
    let text = head
    for (let index = 0; text.length + row(index).length < 8192 - 100; index += 1) text += row(index)
    return text
  }

  it.each([
    ['appending', 'append', filledUp(header, seedRow)],
    ['updating', 'update', filledUp(header, seedRow)],
    [
      'adding columns to an older file',
      'append',
      filledUp('run_id,emissions\n', (index) => `seed-${index},0.5\n`),
    ],
  ])('leaves the file as it was and loses no row, %s', async (_, onCsvWrite, before) => {
    writeFileSync(file, before)
    const { code, stderr } = await runLimited(onCsvWrite)
    expect(code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(readdirSync(folder).toSorted()).toEqual(['emissions.csv', 'home', 'state'])
    const saved = join(stateFolder(folder), 'emissions.csv')
    expect(readTable(saved).at(-1)).toMatchObject({ project_name: 'full-0' })
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(saved)])
  })
})
