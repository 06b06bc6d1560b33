import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { countryOfTimeZone, systemTimeZone } from '../time-zone.ts'
import { createCloudMetadata } from './cloud-metadata.ts'
import { cloudsHere, type Cloud } from './clouds-here.ts'
import { regionOfEnvironment } from './environment.ts'
import { createIpLookup } from './ip-lookup.ts'
import { readNodeNames, regionOfNames, type NodeNames } from './node-names.ts'
import { regionOfResourceAttributes } from './resource-attributes.ts'
import { countryOfJob, provinceOfJob } from './slurm-job.ts'
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
  /** @default os.hostname() */
  readonly hostName?: string | undefined
  /** @default '/etc/resolv.conf' */
  readonly resolvConf?: string | undefined
  /** What the system's clock is set to. @default systemTimeZone */
  readonly timeZone?: (() => string | undefined) | undefined
  /** Other addresses of the services, for tests. */
  readonly baseUrls?: Readonly<Partial<Record<Cloud | 'geojs' | 'ipinfo', string>>> | undefined
}

/** The ways to find out where this machine is, the one that counts most first (DESIGN §8). Reads small files, and asks nobody yet. */
export function locateSteps(options: LocateStepsOptions): LocateStep[] {
  const { offline, mayAskIp = false, sysfsPath = '/sys', procfsPath = '/proc', baseUrls } = options
  const { environment = process.env, timeZone = () => systemTimeZone(environment) } = options
  const { hostName = hostname(), resolvConf = '/etc/resolv.conf' } = options
  let names: NodeNames | undefined
  const nodeNames = (): NodeNames => (names ??= readNodeNames({ environment, hostName, resolvConf }))
  const asksCloud = (): LocateStep =>
    createCloudMetadata({ here: cloudsHere(sysfsPath), bootId: readBootId(procfsPath), baseUrls })
  return [
    {
      foundBy: 'environment',
      toldBy: 'variables of a cloud service',
      know: () => regionOfEnvironment(environment),
    },
    {
      foundBy: 'environment',
      toldBy: 'OTEL_RESOURCE_ATTRIBUTES',
      know: () => regionOfResourceAttributes(environment),
    },
    {
      foundBy: 'environment',
      toldBy: 'host name or search domain',
      know: () => regionOfNames(nodeNames(), () => cloudsHere(sysfsPath)),
    },
    ...(offline ? [] : [asksCloud()]),
    // A computing centre may be in a cloud, which knows better.
    { foundBy: 'environment', toldBy: 'CC_CLUSTER', know: () => provinceOfJob(environment) },
    {
      foundBy: 'environment',
      toldBy: 'domain of a SLURM job',
      know: () => countryOfJob(environment, nodeNames()),
    },
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
