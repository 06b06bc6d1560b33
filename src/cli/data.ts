import { readdirSync, readFileSync } from 'node:fs'
import { stringify } from 'csv-stringify/sync'
import { Argument, type Command } from 'commander'
import { nearest } from '../config/nearest.ts'
import { ConfigError } from '../core/errors.ts'
import { zonePackage } from '../grid/zones/zone-package.ts'
import { zonesFor } from '../grid/zones/zone-table.ts'
import { packageFile } from '../package-file.ts'

/** A table of `data/`, as it is stored. */
interface StoredTable {
  readonly title: string
  readonly unit: string
  /** `null` where another package brings it. */
  readonly retrieved: string | null
  readonly licence: string
  readonly sources: Readonly<Record<string, StoredSource>>
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

interface StoredSource {
  readonly title: string
  readonly url: string | null
  readonly retrieved: string | null
  readonly licence: string
  readonly attribution: string | null
}

/** `codecarbon data`: the tables that figures come from, with their sources and licences; `codecarbon data NAME`: one of them as CSV. */
export function addData(program: Command): void {
  program
    .command('data')
    .description(
      'list the tables that figures come from, their sources, dates and licences; with a name, print that table as CSV',
    )
    .addArgument(new Argument('[table]', 'name of a table'))
    .option('--json', 'print JSON')
    .action((name: string | undefined, flags: { json?: true }) => {
      const tables = new Map([...readTables(), ...zoneTable()])
      if (name !== undefined) process.stdout.write(printTable(tables, name, flags.json === true))
      else process.stdout.write(flags.json === true ? listJson(tables) : listText(tables))
    })
}

type Tables = ReadonlyMap<string, StoredTable>

function readTables(): Tables {
  const names = readdirSync(packageFile('data/'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .toSorted((one, other) => one.localeCompare(other, 'en'))
  return new Map(
    names.map((name) => [
      name,
      JSON.parse(readFileSync(packageFile(`data/${name}.json`), 'utf8')) as StoredTable,
    ]),
  )
}

const zoneTableName = 'electricity-maps-zones'

/** The figures of zones as a table like the others, where the package that brings them is there. */
function zoneTable(): [string, StoredTable][] {
  const answer = zonesFor('auto')()
  if (answer.rows === undefined) return []
  const licence = 'ODbL-1.0'
  const source = {
    title: `Electricity Maps, by ${zonePackage} ${answer.version ?? ''}`.trimEnd(),
    url: 'https://www.electricitymaps.com/data/methodology',
    retrieved: null,
    licence,
    attribution: 'Electricity Maps',
  }
  const table = {
    title: 'Yearly carbon intensity of the zones of Electricity Maps, which another package brings',
    unit: 'gCO2e/kWh',
    retrieved: null,
    licence,
    sources: { 'electricity-maps': source },
    columns: ['zone', 'name', 'gramsPerKwh', 'year'],
    rows: [...answer.rows.values()].map(({ zone, name, gramsPerKwh, year }) => [
      zone,
      name,
      gramsPerKwh,
      year,
    ]),
  }
  return [[zoneTableName, table]]
}

function printTable(tables: Tables, name: string, asJson: boolean): string {
  const table = tables.get(name)
  if (table === undefined) {
    if (name === zoneTableName) throw new ConfigError(`there is no table "${name}" here: ${whyNoZones()}`)
    const closest = nearest(name, tables.keys())
    const hint = closest === undefined ? '' : `; did you mean ${closest}?`
    throw new ConfigError(`there is no table "${name}": expected ${[...tables.keys()].join(', ')}${hint}`)
  }
  if (asJson) return `${JSON.stringify(table, undefined, 2)}\n`
  // Cells that are unknown are left off at the end of a stored row.
  const rows = table.rows.map((row) => table.columns.map((_, index) => row[index] ?? ''))
  return stringify([[...table.columns], ...rows])
}

const listJson = (tables: Tables): string =>
  `${JSON.stringify(
    [...tables].map(([name, { title, unit, retrieved, licence, sources, rows }]) => ({
      name,
      title,
      unit,
      rows: rows.length,
      retrieved,
      licence,
      sources,
    })),
    undefined,
    2,
  )}\n`

function listText(tables: Tables): string {
  const blocks = [...tables].map(([name, { title, unit, retrieved, sources, rows }]) => {
    const from = Object.values(sources).map(
      (source) => `  ${listed(source.title, source.retrieved, source.licence, source.url)}`,
    )
    const size = listed(`${rows.length} rows`, retrieved)
    return [`${name}: ${title}`, `  ${size}; unit: ${unit}`, ...new Set(from)].join('\n')
  })
  const missing = tables.has(zoneTableName)
    ? []
    : [`${zoneTableName}: not here; the figures ${whyNoZones().replace(/^those /, '')}`]
  return `${[...blocks, ...missing].join('\n\n')}\n`
}

const listed = (...facts: (string | null)[]): string => facts.filter((fact) => fact !== null).join(', ')

const whyNoZones = (): string => {
  const answer = zonesFor('auto')()
  return answer.rows === undefined ? answer.why : ''
}
