import { readlinkSync } from 'node:fs'
import { timeZoneTable } from './tables.ts'

let index: ReadonlyMap<string, string> | undefined

/**
 * The country that a time zone is of, by the IANA Time Zone Database: ISO 3166-1 alpha-3. `undefined` for zones of no country, such as
 * `UTC`, which most containers and cloud machines have.
 *
 * @example
 * countryOfTimeZone('Europe/Paris') // 'FRA'
 */
export function countryOfTimeZone(zone: string): string | undefined {
  index ??= new Map(timeZoneTable().rows.map((row) => [row.zone, row.countryIsoCode]))
  return index.get(zone)
}

/**
 * The time zone that this system is set to: the variable `TZ`, else where `/etc/localtime` leads to. Only where there is no such file
 * (Windows) is `Intl` asked, which takes 15 ms to get ready.
 */
export function systemTimeZone(
  environment: NodeJS.ProcessEnv = process.env,
  localtime = '/etc/localtime',
): string | undefined {
  const configured = environment['TZ']?.replace(/^:/, '')
  if (configured !== undefined && configured !== '') return zoneIn(configured) ?? configured
  if (process.platform === 'win32') return Intl.DateTimeFormat().resolvedOptions().timeZone
  try {
    return zoneIn(readlinkSync(localtime))
  } catch {
    // A copy of the zone's file instead of a link, or none: it does not say its name.
    return undefined
  }
}

const zoneIn = (path: string): string | undefined => /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(path)?.[1]
