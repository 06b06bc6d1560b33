import { createRequire } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../core/errors.ts'
import { packageFile } from '../../package-file.ts'
import { fieldsOf } from '../live/json-fields.ts'
import { isPossibleIntensity } from '../live/provider.ts'
import { findZonePackage, zonePackage, type LookFrom } from './zone-package.ts'

/** The newest yearly figure of a zone: lifecycle, of what is consumed there, imports traced to where they come from. */
export interface ZoneRow {
  readonly zone: string
  readonly name: string
  readonly gramsPerKwh: number
  readonly year: number
}

/** The zones that are known, or why none are. */
export type ZoneAnswer =
  | { readonly rows: ReadonlyMap<string, ZoneRow>; readonly version: string | undefined }
  | {
      readonly rows?: undefined
      /** The end of a sentence, and what would help. */
      readonly why: string
      /** Somebody wants figures of the package, and it cannot give them. */
      readonly isBroken: boolean
    }

/** Tells the zones; the first call loads them. */
export type ZoneSource = () => ZoneAnswer

/** The zones of the package as it is found from there. Never throws. */
export function createZoneSource(lookFrom: () => LookFrom): ZoneSource {
  let answer: ZoneAnswer | undefined
  return () => (answer ??= readZones(lookFrom()))
}

/** Figures of the package that the program that runs, or the project that this package is installed in, has among its dependencies. */
const installedZones: ZoneSource = createZoneSource(() => ({
  program: runningProgram(),
  own: fileURLToPath(packageFile('package.json')),
}))

/** The file that node was told to run; of what it was given as text (`-e`, `-p`, `-`) the first argument is none. */
function runningProgram(): string | undefined {
  const [, file] = process.argv
  const isText = process.execArgv.some((argument) => /^(-e|-p|-pe|--eval|--print)\b/.test(argument))
  return isText || file === undefined || !isAbsolute(file) ? undefined : file
}

const noZones: ZoneSource = () => ({
  why: `intensity_source table leaves ${zonePackage} out`,
  isBroken: false,
})

/** The zones that count with this `intensity_source`: `table` is our own tables and nothing else. */
export const zonesFor = (intensitySource: string | undefined): ZoneSource =>
  intensitySource === 'table' ? noZones : installedZones

function readZones(lookFrom: LookFrom): ZoneAnswer {
  try {
    const found = findZonePackage(lookFrom)
    if (found === undefined) {
      const why = `those of zones come with ${zonePackage} 0.18 or later, which is not among the dependencies of this program (npm install ${zonePackage})`
      return { why, isBroken: false }
    }
    const { entry, version } = found
    const rows = parseZones(createRequire(entry)(entry))
    if (rows.size === 0) throw new Error(`version ${version ?? 'unknown'} holds none in gCO2eq/kWh`)
    return { rows, version }
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n')
    return { why: `${zonePackage} gives no figures of zones: ${reason}`, isBroken: true }
  }
}

/** Reads `{ yearly2025: { data: { FR: { zone: { zoneName }, carbonIntensity: { value, unit } } } }, … }`; what is anything else is passed over. */
function parseZones(exported: unknown): ReadonlyMap<string, ZoneRow> {
  const years = Object.entries(fieldsOf(exported)).flatMap(([key, content]) => {
    const [, year] = /^yearly(\d{4})$/.exec(key) ?? []
    return isYear(year) ? [{ year: Number(year), data: fieldsOf(fieldsOf(content)['data']) }] : []
  })
  const rows = years
    .toSorted((one, other) => one.year - other.year)
    .flatMap(({ year, data }) => Object.entries(data).flatMap(([zone, entry]) => toRow(zone, year, entry)))
  return new Map(rows.map((row) => [row.zone, row]))
}

/** A year that there can be figures of. */
const isYear = (text: string | undefined): boolean =>
  text !== undefined && Number(text) >= 2000 && Number(text) <= new Date().getFullYear()

function toRow(zone: string, year: number, entry: unknown): ZoneRow[] {
  const { value: gramsPerKwh, unit } = fieldsOf(fieldsOf(entry)['carbonIntensity'])
  if (unit !== 'gCO2eq/kWh' || typeof gramsPerKwh !== 'number' || !isPossibleIntensity(gramsPerKwh)) return []
  const { displayName, zoneName } = fieldsOf(fieldsOf(entry)['zone'])
  const name = [displayName, zoneName].find((text) => typeof text === 'string')
  return [{ zone, name: name ?? zone, gramsPerKwh, year }]
}
