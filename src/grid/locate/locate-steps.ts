import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { countryOfTimeZone, systemTimeZone } from '../time-zone.ts'
import { createCloudMetadata } from './cloud-metadata.ts'
import { cloudsHere, type Cloud } from './clouds-here.ts'
import { regionOfEnvironment } from './environment.ts'
import { createIpLookup } from './ip-lookup.ts'
import type { LocateStep } from './step.ts'

/** Options of {@link locateSteps}. */
export interface LocateStepsOptions {
  /** Makes no connection at all, not even to a link-local address. */
  readonly offline: boolean
  /** Whether a service on the internet may be asked, which sees the machine's address. @default false */
  readonly mayAskIp?: boolean | undefined
  /** Where sysfs is mounted. @default '/sys' */
  readonly sysfsPath?: string | undefined
  /** Where procfs is mounted. @default '/proc' */
  readonly procfsPath?: string | undefined
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv | undefined
  /** What the system's clock is set to. @default systemTimeZone */
  readonly timeZone?: (() => string | undefined) | undefined
  /** Other addresses of the services, for tests. */
  readonly baseUrls?: Readonly<Partial<Record<Cloud | 'geojs' | 'ipinfo', string>>> | undefined
}

/** The ways to find out where this machine is, the one that counts most first (DESIGN §8). Reads small files, and asks nobody yet. */
export function locateSteps(options: LocateStepsOptions): LocateStep[] {
  const { offline, mayAskIp = false, sysfsPath = '/sys', procfsPath = '/proc', baseUrls } = options
  const { environment = process.env, timeZone = () => systemTimeZone(environment) } = options
  const asksCloud = (): LocateStep =>
    createCloudMetadata({ here: cloudsHere(sysfsPath), bootId: readBootId(procfsPath), baseUrls })
  return [
    { foundBy: 'environment', know: () => regionOfEnvironment(environment) },
    ...(offline ? [] : [asksCloud()]),
    {
      foundBy: 'time zone',
      know: () => ({ countryIsoCode: countryOfTimeZone(timeZone() ?? '') }),
    },
    ...(offline || !mayAskIp ? [] : [createIpLookup({ baseUrls })]),
  ]
}

/** A random number that Linux draws when it starts. */
function readBootId(procfsPath: string): string | undefined {
  try {
    const text = readFileSync(join(procfsPath, 'sys/kernel/random/boot_id'), 'utf8').trim()
    return /^[0-9a-f-]{36}$/.test(text) ? text : undefined
  } catch {
    // Another system.
    return undefined
  }
}
