import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { locateSteps } from '../../../src/grid/locate/locate-steps.ts'
import { createLocator } from '../../../src/grid/locate/locator.ts'
import type { Place } from '../../../src/grid/place.ts'
import { fakeClock } from '../../fixtures/fake-clock.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const service = { AWS_EXECUTION_ENV: 'AWS_ECS_EC2', AWS_REGION: 'us-east-1' }
const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'cloud.provider=gcp,cloud.region=europe-west9' }
const cluster = { SLURM_JOB_ID: '1', CC_CLUSTER: 'narval' }

/** A machine of AWS in Paris, by its clock. */
function placeOf(environment: NodeJS.ProcessEnv, searchDomain = ''): Place | undefined {
  const sysfsPath = temporaryFolder()
  mkdirSync(join(sysfsPath, 'class/dmi/id'), { recursive: true })
  writeFileSync(join(sysfsPath, 'class/dmi/id/sys_vendor'), 'Amazon EC2\n')
  const resolvConf = join(temporaryFolder(), 'resolv.conf')
  writeFileSync(resolvConf, `search ${searchDomain}\n`)
  const steps = locateSteps({
    offline: true,
    environment,
    hostName: 'host',
    resolvConf,
    sysfsPath,
    timeZone: () => 'Europe/Paris',
  })
  const locator = createLocator({ steps, clock: fakeClock(), onProblem: () => undefined })
  locator.start()
  return locator.place()
}

describe('of all that is known without asking', () => {
  it.each([
    [
      'what a cloud service sets',
      { ...service, ...attributes, ...cluster },
      'ec2.internal',
      'variables of a cloud service',
      'us-east-1',
    ],
    [
      'resource attributes',
      { ...attributes, ...cluster },
      'ec2.internal',
      'OTEL_RESOURCE_ATTRIBUTES',
      'europe-west9',
    ],
    ['names of a cloud', cluster, 'ec2.internal', 'host name or search domain', 'us-east-1'],
    ['the name of a cluster', cluster, 'bsc.es', 'CC_CLUSTER', 'Quebec'],
    ['the domain of a job', { SLURM_JOB_ID: '1' }, 'bsc.es', 'domain of a SLURM job', 'Spain'],
  ])('%s counts before the rest, and the place says so', (_what, environment, domain, toldBy, where) => {
    const place = placeOf(environment, domain)
    expect(place).toMatchObject({ foundBy: 'environment', toldBy })
    expect(place?.cloudRegion ?? place?.region ?? place?.countryName).toBe(where)
  })

  it('the time zone counts last', () => {
    expect(placeOf({})).toMatchObject({ countryIsoCode: 'FRA', foundBy: 'time zone', toldBy: undefined })
  })
})
