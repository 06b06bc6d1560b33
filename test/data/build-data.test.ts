import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

interface TableFile {
  readonly licence: string
  readonly unit: string
  readonly retrieved: string
  readonly generatedFrom: readonly string[]
  readonly sources: Readonly<Record<string, { readonly licence: string }>>
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

const readTable = (name: string): TableFile => JSON.parse(readFileSync(`data/${name}.json`, 'utf8')) as TableFile
const names = readdirSync('data').filter((name) => name.endsWith('.json'))

function build(...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, ['scripts/build-data.js', ...args], { encoding: 'utf8' })
}

describe('the tables in data/', () => {
  it('are what their sources make', () => {
    expect(build('--check')).toMatchObject({ status: 0, stderr: '' })
  })

  it('have the rows that they are known for', () => {
    const grid = readTable('grid-intensity').rows
    const ofRegions = (country: string): number =>
      grid.filter(([code, region]) => code === country && region !== null).length
    expect(grid.filter(([, region]) => region === null).length).toBeGreaterThanOrEqual(210)
    expect(ofRegions('USA')).toBe(51)
    expect(ofRegions('CAN')).toBe(13)
    expect(readTable('cloud-regions').rows.length).toBeGreaterThanOrEqual(155)
    expect(readTable('cpu-tdp').rows.length).toBeGreaterThanOrEqual(5900)
    expect(readTable('cpu-microarchitectures').rows).toHaveLength(83)
    expect(readTable('gpu-power').rows.length).toBeGreaterThanOrEqual(180)
    expect(readTable('embodied').rows.length).toBeGreaterThanOrEqual(6)
    expect(readTable('energy-sources').rows.length).toBeGreaterThanOrEqual(20)
    expect(readTable('time-zones').rows.length).toBeGreaterThanOrEqual(418)
    const places = readTable('places').rows
    expect(places.filter(([, code]) => code === null || !String(code).includes('-'))).toHaveLength(249 + 2)
    expect(places.filter(([, code]) => String(code).includes('-'))).toHaveLength(51 + 13)
  })

  it.each(names)('%s says where its rows come from and under which licence', (name) => {
    const table = readTable(name.replace('.json', ''))
    const sourceColumns = table.columns.flatMap((column, index) => (/source$/i.test(column) ? [index] : []))
    expect(sourceColumns).not.toHaveLength(0)
    const used = new Set(table.rows.flatMap((row) => sourceColumns.map((index) => row[index] ?? undefined)))
    used.delete(undefined)
    expect(used).toEqual(new Set(Object.keys(table.sources)))
    expect(table.licence).not.toMatch(/ODbL|GPL/)
    expect(table.retrieved).toMatch(/^20\d\d-\d\d-\d\d$/)
    expect(table.unit).not.toBe('')
  })

  it('keep the processors small, one to a line as src/cpu reads them', () => {
    const text = readFileSync('data/cpu-tdp.json', 'utf8')
    expect(text.length).toBeLessThan(360_000)
    const lines = text.slice(text.indexOf('"rows": [')).split('\n').slice(1, -3)
    const parsed = lines.map((line) => JSON.parse(line.replace(/,$/, '')) as unknown)
    expect(parsed).toEqual(readTable('cpu-tdp').rows)
  })

  it('are attributed, each source by its id', () => {
    const attribution = readFileSync('ATTRIBUTION.md', 'utf8')
    const used = new Set(names.flatMap((name) => Object.keys(readTable(name.replace('.json', '')).sources)))
    expect([...used].filter((id) => !attribution.includes(`\`${id}\``))).toEqual([])
  })
})

describe('scripts/build-data.js', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'codecarbon-data-'))
    cpSync('data', folder, { recursive: true })
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  const source = (file: string): string => join(folder, 'sources', file)

  /** Changes a kept source, and its checksum unless told otherwise. */
  function edit(file: string, change: (text: string) => string | Uint8Array, sum = true): void {
    const before = readFileSync(source(file))
    const after = change(before.toString('utf8'))
    writeFileSync(source(file), after)
    if (!sum) return
    const hash = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
    const sums = readFileSync(source('SHA256SUMS'), 'utf8')
    writeFileSync(source('SHA256SUMS'), sums.replace(hash(before), hash(after)))
  }

  it('writes the same bytes from the same input', () => {
    for (const name of names) rmSync(join(folder, name))
    expect(build('--check', folder)).toMatchObject({ status: 1 })
    expect(build(folder).status).toBe(0)
    for (const name of names) expect(readFileSync(join(folder, name))).toEqual(readFileSync(join('data', name)))
  })

  it('names the tables that differ, and leaves them', () => {
    const file = join(folder, 'places.json')
    writeFileSync(file, '{}')
    const { status, stderr } = build('--check', folder)
    expect(status).toBe(1)
    expect(stderr).toBe('data/places.json differs from its sources; run: npm run data\n')
    expect(readFileSync(file, 'utf8')).toBe('{}')
  })

  it('refuses a source that changed without its checksum', () => {
    edit('grid-intensity.csv', (text) => text.replace('44.18', '45.18'), false)
    expect(build(folder)).toMatchObject({ status: 1, stderr: expect.stringContaining('grid-intensity.csv: differs from its line') })
  })

  const replace = (from: string | RegExp, to: string) => (text: string) => {
    const changed = text.replace(from, to)
    expect(changed).not.toBe(text)
    return changed
  }

  it.each([
    ['a duplicate', 'grid-intensity.csv', replace(/(FRA,.*\n)/, '$1$1'), 'the same key stands in an earlier row'],
    ['text for a number', 'grid-intensity.csv', replace('FRA,,44.18', 'FRA,,n/a'), 'grams_per_kwh is "n/a", not a number'],
    ['an absurd number', 'grid-intensity.csv', replace('FRA,,44.18', 'FRA,,44180'), 'expected 0 to 1500'],
    ['an impossible year', 'grid-intensity.csv', replace('FRA,,44.18,2024', 'FRA,,44.18,2204'), 'expected 1990 to 2026'],
    ['an unknown country', 'grid-intensity.csv', replace('FRA,', 'FRX,'), 'country is "FRX", which is not known'],
    ['an unknown source', 'cpu-tdp.csv', replace(',amd\n', ',adm\n'), 'source is "adm", which is not known'],
    ['a region outside its country', 'grid-intensity.csv', replace('CAN,CA-QC', 'USA,CA-QC'), 'is not in its country'],
    ['a missing world average', 'grid-intensity.csv', replace(/WLD,.*\n/, ''), 'the world average'],
    ['an accent in a part', 'cpu-tdp.csv', replace('AMD 3015e', 'AMD 3015é'), 'non-ASCII'],
    ['a turbo power below the TDP', 'cpu-tdp.csv', replace('Intel Core i9-14900K,125,253', 'Intel Core i9-14900K,125,53'), 'tdp_max_watts is 53'],
    ['one spelling for two places', 'countries.csv', replace('FR,France,', 'FR,Germany,'), 'means both'],
    ['bytes that are no UTF-8', 'countries.csv', (text: string) => Buffer.from(text, 'latin1'), 'encoded data was not valid'],
  ])('refuses %s', (_, file, change, message) => {
    edit(file, change)
    const { status, stderr } = build(folder)
    expect(status).toBe(1)
    expect(stderr).toContain(message)
  })
})
