import { describe, expect, it } from 'vitest'
import type { NodeNames } from '../../../src/grid/locate/node-names.ts'
import { countryOfJob, provinceOfJob } from '../../../src/grid/locate/slurm-job.ts'
import { resolvePlace } from '../../../src/grid/place.ts'

const job = { SLURM_JOB_ID: '123456' }

describe('a SLURM job', () => {
  it.each([
    ['cedar', 'British Columbia'],
    ['fir', 'British Columbia'],
    ['vulcan', 'Alberta'],
    ['graham', 'Ontario'],
    ['niagara', 'Ontario'],
    ['trillium', 'Ontario'],
    ['beluga', 'Quebec'],
    ['narval', 'Quebec'],
    ['rorqual', 'Quebec'],
  ])('on %s runs in %s', (cluster, region) => {
    const query = provinceOfJob({ ...job, CC_CLUSTER: cluster })
    expect(resolvePlace(query ?? {}).place).toMatchObject({ countryIsoCode: 'CAN', region })
    expect(provinceOfJob({ CC_CLUSTER: cluster })).toBeUndefined()
  })

  it.each(['computecanada', 'constructor', ''])('on a cluster "%s" may run anywhere', (cluster) => {
    expect(provinceOfJob({ ...job, CC_CLUSTER: cluster })).toBeUndefined()
  })

  const names = (hosts: readonly string[], searchDomains: readonly string[] = []): NodeNames => ({
    hosts,
    searchDomains,
  })

  it.each([
    ['a host', names(['jean-zay3.idris.fr']), 'FRA'],
    ['a search domain', names(['gs01r1b01'], ['bsc.es']), 'ESP'],
    ['several', names(['r01c01.bullx'], ['csc.fi', 'mahti.csc.fi', 'local']), 'FIN'],
    ['the United Kingdom', names(['node1.archer2.ac.uk']), 'GBR'],
    ['a host that is also in a domain of no country', names(['nid001.lumi.internal'], ['csc.fi']), 'FIN'],
  ])('is in the country of the domain of %s', (_what, found, countryIsoCode) => {
    expect(countryOfJob(job, found)).toEqual({ countryIsoCode })
    expect(countryOfJob({}, found)).toBeUndefined()
  })

  it.each([
    ['of two countries', names(['a.idris.fr'], ['bsc.es'])],
    ['of no country', names(['a.tacc.utexas.edu'], ['cluster.local'])],
    ['of a country that there is not', names(['a.example.zz'])],
    ['that is sold to anybody', names(['gpu1.example.ai'], ['example.io'])],
    ['of one part', names(['node1.cl'], ['cl'])],
    ['that is none', names(['node1'])],
    ['of an address', names(['10.0.0.1'])],
  ])('may be anywhere by a domain %s', (_what, found) => {
    expect(countryOfJob(job, found)).toBeUndefined()
  })
})
