/**
 * Makes the tables in `data/` from the kept sources in `data/sources/`: same input, same bytes. It refuses the whole
 * input where anything is doubtful, because a wrong row would go out as a figure.
 *
 *     node scripts/build-data.js            writes data/*.json
 *     node scripts/build-data.js --check    writes nothing; exits 1 and names the files that differ
 *
 * A folder as last argument stands in for `data/`.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'csv-parse/sync'

const folder = process.argv.slice(2).find((argument) => !argument.startsWith('--'))
const dataFolder =
  folder === undefined ? new URL('../data/', import.meta.url) : pathToFileURL(`${resolve(folder)}/`)
const sourcesFolder = new URL('sources/', dataFolder)

/** @typedef {Record<string, string>} Row one line of a kept source, by column */
/** @typedef {string | number | null} Cell */
/** @typedef {{ title: string, unit: string, from: string, columns: string[], row: (fields: Fields) => Cell[], check?: (rows: Row[]) => void, key: string[], nonAscii?: boolean }} Table */

/** Thrown for input that cannot be trusted; the message names file, line and column. */
class DataError extends Error {}

/**
 * Typed access to one line. Every method throws a {@link DataError} where the text is not what the table needs.
 *
 * @typedef {object} Fields
 * @property {(column: string) => string} text not empty
 * @property {(column: string) => string | null} textOrNull
 * @property {(column: string, low: number, high: number) => number} number within low and high, both included
 * @property {(column: string, low: number, high: number) => number | null} numberOrNull
 * @property {(column: string) => number | null} yearOrNull
 * @property {(column: string) => number} year
 * @property {(column: string, allowed: ReadonlySet<string>) => string} oneOf
 * @property {(column: string, allowed: ReadonlySet<string>) => string | null} oneOfOrNull
 * @property {(message: string) => never} fail
 */

/** @param {string} file @param {Row} row @param {number} index @returns {Fields} */
function fieldsOf(file, row, index) {
  /** @param {string} message @returns {never} */
  const fail = (message) => {
    throw new DataError(
      `${file}, record ${index + 1} (${Object.values(row).slice(0, 2).join(', ')}): ${message}`,
    )
  }
  /** @param {string} column */
  const raw = (column) => row[column] ?? fail(`there is no column ${column}`)
  /** @param {string} column */
  const textOrNull = (column) => (raw(column) === '' ? null : raw(column))
  /** @param {string} column */
  const text = (column) => textOrNull(column) ?? fail(`${column} is empty`)
  /** @type {Fields['number']} */
  const number = (column, low, high) => {
    const value = Number(text(column))
    if (!Number.isFinite(value)) fail(`${column} is "${raw(column)}", not a number`)
    if (value < low || value > high) fail(`${column} is ${value}, expected ${low} to ${high}`)
    return value
  }
  /** @type {Fields['numberOrNull']} */
  const numberOrNull = (column, low, high) => (raw(column) === '' ? null : number(column, low, high))
  /** @param {string} column */
  const year = (column) => {
    const value = number(column, 1990, 2026)
    return Number.isInteger(value) ? value : fail(`${column} is ${value}, not a whole year`)
  }
  /** @type {Fields['oneOf']} */
  const oneOf = (column, allowed) =>
    allowed.has(text(column)) ? text(column) : fail(`${column} is "${raw(column)}", which is not known`)
  return {
    text,
    textOrNull,
    number,
    numberOrNull,
    year,
    yearOrNull: (column) => (raw(column) === '' ? null : year(column)),
    oneOf,
    oneOfOrNull: (column, allowed) => (raw(column) === '' ? null : oneOf(column, allowed)),
    fail,
  }
}

/** @param {string} file @returns {Row[]} */
function readSource(file) {
  const bytes = readFileSync(new URL(file, sourcesFolder))
  // A fatal decoder, because a byte that is not UTF-8 would otherwise become U+FFFD in a name.
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  if (text.includes('\r') || text.includes('\uFFFD'))
    throw new DataError(`${file}: expected UTF-8 with \\n line ends`)
  /** @type {Row[]} */
  const rows = parse(text, { columns: true })
  if (rows.length === 0) throw new DataError(`${file}: no rows`)
  for (const [index, row] of rows.entries()) {
    for (const [column, value] of Object.entries(row)) {
      if (value !== value.trim()) throw new DataError(`${file}, record ${index + 1}: spaces around ${column}`)
    }
  }
  return rows
}

/** The kept sources are facts with a date: one that changes without its checksum was changed by accident. */
function checkChecksums() {
  const listed = new Map(
    readFileSync(new URL('SHA256SUMS', sourcesFolder), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => /** @type {[string, string]} */ (line.split(/ +/).toReversed())),
  )
  const files = readdirSync(sourcesFolder).filter((file) => file.endsWith('.csv'))
  for (const file of new Set([...files, ...listed.keys()])) {
    const sum = files.includes(file)
      ? createHash('sha256')
          .update(readFileSync(new URL(file, sourcesFolder)))
          .digest('hex')
      : undefined
    if (sum !== listed.get(file)) {
      throw new DataError(
        `${file}: differs from its line in SHA256SUMS; if the change is meant, run in data/sources: sha256sum *.csv > SHA256SUMS`,
      )
    }
  }
}

checkChecksums()
const sourceRows = readSource('sources.csv')
const sourceIds = new Set(sourceRows.map((row) => row['id'] ?? ''))
const countryRows = readSource('countries.csv')
const countryCodes = new Set(countryRows.map((row) => row['alpha3'] ?? ''))
const subdivisionRows = readSource('subdivisions.csv')
const subdivisionCountry = new Map(subdivisionRows.map((row) => [row['code'] ?? '', row['country'] ?? '']))
const subdivisionCodes = new Set(subdivisionCountry.keys())
const gridKeys = new Set(readSource('grid-intensity.csv').map((row) => `${row['country']}/${row['region']}`))

const bases = new Set(['lifecycle', 'direct'])
const qualities = new Set(['ok', 'derived', 'low'])
const confidences = new Set(['high', 'medium', 'low'])
const providers = new Set(['aws', 'azure', 'gcp', 'ovh'])

/**
 * 1500 g/kWh is above any grid: a whole system of the dirtiest lignite reaches about 1300 (Turkmenistan 1306).
 * @param {Fields} fields
 */
const gramsOf = (fields) => fields.numberOrNull('grams_per_kwh', 0, 1500)

/** @param {Fields} fields @param {string} region */
function checkRegion(fields, region) {
  if (subdivisionCountry.get(region) !== fields.text('country'))
    fields.fail(`${region} is not in its country`)
}

/** @type {Record<string, Table>} */
const tables = {
  'grid-intensity.json': {
    title: 'Yearly carbon intensity of electricity by country, US state and Canadian province',
    unit: 'gCO2e/kWh',
    from: 'grid-intensity.csv',
    key: ['country', 'region'],
    columns: ['countryIsoCode', 'regionCode', 'gramsPerKwh', 'year', 'basis', 'quality', 'source'],
    row: (fields) => {
      const region = fields.oneOfOrNull('region', subdivisionCodes)
      if (region !== null) checkRegion(fields, region)
      return [
        fields.oneOf('country', countryCodes),
        region,
        gramsOf(fields) ?? fields.fail('grams_per_kwh is empty; leave the row out where there is no figure'),
        fields.year('year'),
        fields.oneOf('basis', bases),
        fields.oneOf('quality', qualities),
        fields.oneOf('source', sourceIds),
      ]
    },
    check: () => {
      if (!gridKeys.has('WLD/')) throw new DataError('grid-intensity.csv: the world average (WLD) is missing')
    },
  },
  'cloud-regions.json': {
    title:
      'Cloud regions: where they are, their own published carbon intensity where there is one, PUE and WUE',
    unit: 'gCO2e/kWh, PUE as a ratio, WUE in litres/kWh',
    from: 'cloud-regions.csv',
    key: ['provider', 'region'],
    columns: [
      ...['cloudProvider', 'cloudRegion', 'countryIsoCode', 'regionCode', 'electricityMapsZone'],
      ...['gramsPerKwh', 'year', 'basis', 'source', 'pue', 'wueLitresPerKwh', 'pueYear', 'pueSource'],
    ],
    row: (fields) => {
      const country = fields.oneOf('country', countryCodes)
      const region = fields.oneOfOrNull('subdivision', subdivisionCodes)
      if (region !== null) checkRegion(fields, region)
      const grams = gramsOf(fields)
      if (grams === null && !gridKeys.has(`${country}/${region ?? ''}`)) {
        fields.fail('neither the region nor its country has a carbon intensity')
      }
      const pue = fields.numberOrNull('pue', 1, 3)
      return [
        fields.oneOf('provider', providers),
        fields.text('region'),
        country,
        region,
        fields.text('em_zone'),
        ...(grams === null
          ? [null, null, null, null]
          : [grams, fields.year('year'), fields.oneOf('basis', bases), fields.oneOf('source', sourceIds)]),
        pue,
        fields.numberOrNull('wue_litres_per_kwh', 0, 10),
        ...(pue === null ? [null, null] : [fields.year('pue_year'), fields.oneOf('pue_source', sourceIds)]),
      ]
    },
  },
  'cpu-tdp.json': {
    title: 'Thermal design power of processors, per socket',
    unit: 'W',
    from: 'cpu-tdp.csv',
    key: ['name'],
    // What is often unknown stands last, so that the nulls can be left off (see compact).
    columns: ['name', 'tdpWatts', 'confidence', 'source', 'year', 'cores', 'threads', 'tdpMaxWatts'],
    row: (fields) => {
      const tdp = fields.number('tdp_watts', 0.1, 600)
      return [
        // src/cpu/tables.ts looks for names in the text of the file.
        /["\\]/.test(fields.text('name'))
          ? fields.fail('a name with a quote or backslash')
          : fields.text('name'),
        tdp,
        fields.oneOf('confidence', confidences),
        fields.oneOf('source', sourceIds),
        fields.yearOrNull('year'),
        fields.numberOrNull('cores', 1, 512),
        fields.numberOrNull('threads', 1, 1024),
        fields.numberOrNull('tdp_max_watts', tdp, 600),
      ]
    },
  },
  'cpu-microarchitectures.json': {
    title: 'Microarchitectures by CPUID or Arm part number, with package power per hardware thread',
    unit: 'W per hardware thread, package only (without memory, fans and power supply)',
    from: 'cpu-microarchitectures.csv',
    key: ['vendor', 'family', 'model', 'stepping_from'],
    columns: [
      ...[
        'vendor',
        'family',
        'model',
        'steppingFrom',
        'steppingTo',
        'microarchitecture',
        'codename',
        'segment',
      ],
      ...['idleWattsPerThread', 'fullWattsPerThread', 'wattsBasis', 'source', 'wattsSource'],
    ],
    row: (fields) => {
      const vendor = fields.oneOf('vendor', new Set(['GenuineIntel', 'AuthenticAMD', 'ARM']))
      const from = fields.numberOrNull('stepping_from', 0, 15)
      const idle = fields.numberOrNull('idle_watts_per_thread', 0.01, 20)
      return [
        vendor,
        // Arm has no family: the part number alone says which core it is.
        vendor === 'ARM' ? null : fields.number('family', 5, 30),
        fields.number('model', 0, 0xfff),
        from,
        from === null ? null : fields.number('stepping_to', from, 15),
        fields.text('microarchitecture'),
        fields.text('codename'),
        fields.oneOf('segment', new Set(['client', 'server', 'both'])),
        ...(idle === null
          ? [null, null, null]
          : [
              idle,
              fields.number('full_watts_per_thread', idle, 50),
              fields.oneOf('watts_basis', new Set(['measured', 'tdp'])),
            ]),
        fields.oneOf('source', sourceIds),
        idle === null ? null : fields.oneOf('watts_source', sourceIds),
      ]
    },
  },
  'comparisons.json': {
    title: 'Emissions of everyday things, to compare with',
    unit: 'g CO2e or kWh, as the column unit says',
    from: 'comparisons.csv',
    key: ['key'],
    columns: ['key', 'value', 'unit', 'per', 'year', 'source', 'note'],
    row: (fields) => [
      fields.text('key'),
      fields.number('value', 1e-6, 1e9),
      fields.oneOf('unit', new Set(['g', 'kWh'])),
      fields.text('per'),
      fields.year('year'),
      fields.oneOf('source', sourceIds),
      fields.text('note'),
    ],
  },
  'embodied.json': {
    title: 'Emissions of making computers, for machines whose own figure nobody gives',
    unit: 'kg CO2e or a number, as the column unit says',
    from: 'embodied.csv',
    key: ['key'],
    columns: ['key', 'value', 'low', 'high', 'unit', 'year', 'source', 'lowSource', 'highSource', 'note'],
    row: (fields) => {
      const low = fields.number('low', 0.1, 10_000)
      const high = fields.number('high', low, 10_000)
      return [
        fields.text('key'),
        fields.number('value', low, high),
        low,
        high,
        fields.oneOf('unit', new Set(['kg', 'processors', 'threads'])),
        fields.year('year'),
        fields.oneOf('source', sourceIds),
        fields.oneOf('low_source', sourceIds),
        fields.oneOf('high_source', sourceIds),
        fields.text('note'),
      ]
    },
  },
  'gpu-power.json': {
    title: 'Power of graphics processors, by name',
    unit: 'W per board or module',
    from: 'gpu-power.csv',
    key: ['vendor', 'name'],
    columns: [
      ...['vendor', 'name', 'tdpWatts', 'idleWatts', 'idleWithContextWatts', 'class', 'year', 'confidence'],
      ...['source', 'idleSource'],
    ],
    row: (fields) => {
      const tdp = fields.number('tdp_watts', 5, 2000)
      const idle = fields.number('idle_watts', 0.5, tdp)
      return [
        fields.oneOf('vendor', new Set(['NVIDIA', 'AMD', 'Intel'])),
        fields.text('name'),
        tdp,
        idle,
        fields.numberOrNull('idle_with_context_watts', idle, tdp),
        fields.oneOf('class', new Set(['datacenter', 'workstation', 'consumer', 'laptop'])),
        fields.year('year'),
        fields.oneOf('confidence', confidences),
        fields.oneOf('source', sourceIds),
        fields.oneOf('idle_source', sourceIds),
      ]
    },
  },
  'energy-sources.json': {
    title: 'Carbon intensity of electricity by what it is made from',
    unit: 'g CO2e per kWh',
    from: 'energy-sources.csv',
    key: ['energy_source', 'basis'],
    columns: ['kind', 'gramsPerKwh', 'basis', 'year', 'source'],
    row: (fields) => [
      fields.text('energy_source'),
      fields.number('grams_per_kwh', 0, 1500),
      fields.oneOf('basis', new Set(['lifecycle', 'direct'])),
      fields.year('year'),
      fields.oneOf('source', sourceIds),
    ],
  },
  'time-zones.json': {
    title: 'Time zones by the country they are of',
    unit: 'none',
    from: 'time-zones.csv',
    key: ['zone'],
    columns: ['zone', 'countryIsoCode', 'source'],
    row: (fields) => [
      /^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(fields.text('zone'))
        ? fields.text('zone')
        : fields.fail('not the name of a time zone'),
      fields.oneOf('country', countryCodes),
      fields.oneOf('source', sourceIds),
    ],
  },
  'places.json': {
    title: 'Countries (ISO 3166-1), US states and Canadian provinces (ISO 3166-2) with their English names',
    unit: 'none',
    from: 'countries.csv + subdivisions.csv',
    key: ['alpha3', 'code'],
    nonAscii: true,
    columns: ['countryIsoCode', 'code', 'name', 'alternatives', 'source'],
    row: (fields) => [
      fields.oneOf('country', countryCodes),
      fields.textOrNull('code'),
      fields.text('name'),
      fields.textOrNull('alternatives'),
      fields.oneOf('source', sourceIds),
    ],
    check: checkPlaces,
  },
}

/** Countries first, then subdivisions, in one shape. A country's code is its alpha-2 code. @returns {Row[]} */
function placeRows() {
  return [
    ...countryRows.map((row) => ({ ...row, country: row['alpha3'] ?? '', code: row['alpha2'] ?? '' })),
    ...subdivisionRows.map((row) => ({ ...row, alpha3: row['country'] ?? '' })),
  ]
}

/** Within one level (countries; subdivisions of one country) each spelling may mean one place only. @param {Row[]} rows */
function checkPlaces(rows) {
  /** @type {Map<string, string>} */
  const taken = new Map()
  for (const row of rows) {
    const { country = '', code = '', name = '', alternatives = '' } = row
    const isCountry = !code.includes('-')
    if (!/^[A-Z]{3}$/.test(country)) throw new DataError(`countries.csv: "${country}" is not an alpha-3 code`)
    if (isCountry && !/^([A-Z]{2})?$/.test(code))
      throw new DataError(`countries.csv: "${code}" is not an alpha-2 code`)
    if (!isCountry && !/^(US|CA)-[A-Z]{2}$/.test(code))
      throw new DataError(`subdivisions.csv: "${code}" is not a code`)
    const level = isCountry ? '' : `${country}/`
    const spellings = [isCountry ? country : '', code, name, ...alternatives.split('|')].filter(
      (word) => word !== '',
    )
    for (const spelling of new Set(spellings.map((word) => level + word.toLowerCase()))) {
      const other = taken.get(spelling)
      if (other !== undefined) throw new DataError(`places: "${spelling}" means both ${other} and ${code}`)
      taken.set(spelling, code)
    }
  }
}

/** @param {Cell[]} row the cells without the nulls at the end */
function compact(row) {
  const last = row.findLastIndex((cell) => cell !== null)
  return JSON.stringify(row.slice(0, last + 1))
}

/** @param {string} name @param {Table} table @returns {string} the text of data/{name} */
function render(name, table) {
  const input = name === 'places.json' ? placeRows() : readSource(table.from)
  const seen = new Set()
  const rows = input.map((row, index) => {
    const fields = fieldsOf(table.from, row, index)
    const key = table.key.map((column) => (row[column] ?? '').toLowerCase()).join('/')
    if (seen.has(key)) fields.fail('the same key stands in an earlier row')
    seen.add(key)
    const cells = table.row(fields)
    if (cells.length !== table.columns.length)
      fields.fail(`${cells.length} cells for ${table.columns.length} columns`)
    // Names are matched against what machines report, which is ASCII; only names of places have accents.
    if (!table.nonAscii && /[^\x20-\x7e]/.test(Object.values(row).join('')))
      fields.fail('holds a non-ASCII character')
    return cells
  })
  table.check?.(input)
  const sources = usedSources(table, rows)
  const head = {
    title: table.title,
    unit: table.unit,
    retrieved: Object.values(sources).reduce(
      (latest, source) => (source.retrieved > latest ? source.retrieved : latest),
      '',
    ),
    licence: [...new Set(Object.values(sources).map((source) => source.licence))].toSorted().join('; '),
    generatedFrom: table.from.split(' + ').map((file) => `data/sources/${file}`),
    sources,
    columns: table.columns,
  }
  const body = rows.map((row) => `    ${compact(row)}`).join(',\n')
  return `${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "rows": [\n${body}\n  ]\n}\n`
}

/** @param {Table} table @param {Cell[][]} rows */
function usedSources(table, rows) {
  const columns = table.columns.flatMap((column, index) => (/source$/i.test(column) ? [index] : []))
  const used = new Set(rows.flatMap((row) => columns.map((column) => row[column])))
  return Object.fromEntries(
    sourceRows.flatMap((row, index) => {
      const fields = fieldsOf('sources.csv', row, index)
      const id = fields.text('id')
      if (!used.has(id)) return []
      const source = {
        title: fields.text('title'),
        note: fields.textOrNull('note'),
        url: fields.textOrNull('url'),
        retrieved: fields.text('retrieved'),
        licence: fields.text('licence'),
        attribution: fields.textOrNull('attribution'),
      }
      if (!/^20\d\d-\d\d-\d\d$/.test(source.retrieved))
        fields.fail(`retrieved is "${source.retrieved}", not a date`)
      return [[id, source]]
    }),
  )
}

/** @param {URL} file @returns {string | undefined} */
function currentText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

if (sourceIds.size !== sourceRows.length) throw new DataError('sources.csv: an id stands twice')

const rendered = Object.entries(tables).map(([name, table]) => ({ name, text: render(name, table) }))
const stale = rendered.filter(({ name, text }) => currentText(new URL(name, dataFolder)) !== text)

if (process.argv.includes('--check')) {
  for (const { name } of stale) console.error(`data/${name} differs from its sources; run: npm run data`)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const { name, text } of stale) writeFileSync(new URL(name, dataFolder), text)
  console.error(stale.length > 0 ? `wrote ${stale.map(({ name }) => name).join(', ')}` : 'data/ is current')
}
