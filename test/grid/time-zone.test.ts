import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { countryOfTimeZone, systemTimeZone } from '../../src/grid/time-zone.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

describe('the country of a time zone', () => {
  it.each([
    ['Europe/Paris', 'FRA'],
    ['America/Toronto', 'CAN'],
    ['Asia/Calcutta', 'IND'],
    ['Europe/Kiev', 'UKR'],
    ['US/Pacific', 'USA'],
    ['America/Argentina/Buenos_Aires', 'ARG'],
  ])('%s is of %s', (zone, country) => {
    expect(countryOfTimeZone(zone)).toBe(country)
  })

  it.each(['UTC', 'Etc/UTC', 'Etc/GMT+5', 'GMT', 'EST5EDT', 'CET', '', 'constructor', 'Nowhere/City'])(
    'cannot be told of %j',
    (zone) => {
      expect(countryOfTimeZone(zone)).toBeUndefined()
    },
  )

  it('is known of every zone that Node.js has', () => {
    expect(
      Intl.supportedValuesOf('timeZone').filter((zone) => countryOfTimeZone(zone) === undefined),
    ).toEqual([])
  })
})

describe('the time zone of the system', () => {
  const localtime = (target: string): string => {
    const path = join(temporaryFolder(), 'localtime')
    symlinkSync(target, path)
    return path
  }

  it('is what TZ says', () => {
    expect(systemTimeZone({ TZ: 'Europe/Rome' })).toBe('Europe/Rome')
    expect(systemTimeZone({ TZ: ':Europe/Rome' })).toBe('Europe/Rome')
    expect(systemTimeZone({ TZ: ':/usr/share/zoneinfo/Europe/Rome' })).toBe('Europe/Rome')
  })

  it.each([
    '/usr/share/zoneinfo/Asia/Tokyo',
    '../usr/share/zoneinfo/Asia/Tokyo',
    '/var/db/timezone/zoneinfo/posix/Asia/Tokyo',
  ])('is where /etc/localtime leads: %s', (target) => {
    expect(systemTimeZone({}, localtime(target))).toBe('Asia/Tokyo')
  })

  it('is unknown where that is no link', () => {
    const path = join(temporaryFolder(), 'localtime')
    writeFileSync(path, 'TZif2')
    expect(systemTimeZone({}, path)).toBeUndefined()
    expect(systemTimeZone({ TZ: '' }, '/nonexistent')).toBeUndefined()
  })
})
