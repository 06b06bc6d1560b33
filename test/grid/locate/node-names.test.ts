import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNodeNames, regionOfNames } from '../../../src/grid/locate/node-names.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

interface Machine {
  readonly hostName?: string
  readonly environment?: NodeJS.ProcessEnv
  readonly resolvConf?: string
  readonly clouds?: readonly ('aws' | 'azure' | 'gcp')[]
}

/** Its firmware says nothing, as in a micro-VM, unless it names clouds. */
function regionOf({
  hostName = 'host',
  environment = {},
  resolvConf = '',
  clouds,
}: Machine): object | undefined {
  const file = join(temporaryFolder(), 'resolv.conf')
  writeFileSync(file, resolvConf)
  const names = readNodeNames({ environment, hostName, resolvConf: file })
  return regionOfNames(names, () => ({ clouds: clouds ?? [], isSure: clouds !== undefined }))
}

const aws = (cloudRegion: string): object => ({ cloudProvider: 'aws', cloudRegion })
const gcp = (cloudRegion: string): object => ({ cloudProvider: 'gcp', cloudRegion })

const podOfEks = [
  'search default.svc.cluster.local svc.cluster.local cluster.local eu-west-1.compute.internal',
  'nameserver 10.100.0.10',
  'options ndots:5',
].join('\n')

const podOfGke = [
  'nameserver 10.8.0.10',
  'search default.svc.cluster.local svc.cluster.local cluster.local us-central1-a.c.my-project.internal c.my-project.internal google.internal',
].join('\n')

describe('the names of a machine', () => {
  it.each([
    [
      'a host of AWS by its address',
      { hostName: 'ip-10-24-34-0.us-west-2.compute.internal' },
      aws('us-west-2'),
    ],
    [
      'a host of AWS by its instance',
      { hostName: 'i-0123456789abcdef0.eu-west-3.compute.internal.' },
      aws('eu-west-3'),
    ],
    ['a host of us-east-1', { hostName: 'IP-10-24-34-0.ec2.internal' }, aws('us-east-1')],
    [
      'a node that Kubernetes names',
      { hostName: 'shop-7d4b', environment: { NODE_NAME: 'ip-10-0-1-2.eu-north-1.compute.internal' } },
      aws('eu-north-1'),
    ],
    ['a pod of EKS', { resolvConf: podOfEks, clouds: ['aws'] }, aws('eu-west-1')],
    ['a pod of GKE', { resolvConf: podOfGke, clouds: ['gcp'] }, gcp('us-central1')],
    [
      'a host of Google Cloud',
      { hostName: 'web-1.europe-west9-b.c.my-project.internal' },
      gcp('europe-west9'),
    ],
    [
      'the last line of several',
      { resolvConf: 'domain us-west-2.compute.internal\nsearch ec2.internal # ours\n', clouds: ['aws'] },
      aws('us-east-1'),
    ],
  ] as [string, Machine, object][])('tell the region of %s', (_what, machine, region) => {
    expect(regionOf(machine)).toEqual(region)
  })

  it.each([
    [
      'nothing but themselves',
      { hostName: 'laptop.local', resolvConf: 'search fritz.box\nnameserver 192.168.178.1\n' },
    ],
    ['a region that there is not', { hostName: 'ip-10-24-34-0.mars-1.compute.internal' }],
    ['a zone that is elsewhere than its region', { hostName: 'a.us-central1-ai1a.c.my-project.internal' }],
    ['a project but no zone', { hostName: 'a.c.my-project.internal' }],
    ['a name that goes on behind', { hostName: 'ip-10-24-34-0.us-west-2.compute.internal.example.com' }],
    ['a name that somebody made up', { hostName: 'db.us-west-2.compute.internal' }],
    ['a zone of AWS', { resolvConf: 'search us-west-2a.compute.internal\n' }],
    ['two regions', { hostName: 'ip-10-24-34-0.ec2.internal', resolvConf: podOfEks }],
    ['two clouds', { resolvConf: 'search ec2.internal us-central1-a.c.my-project.internal\n' }],
    ["a cloud's domain that a laptop has from a VPN", { resolvConf: 'search ec2.internal\n', clouds: [] }],
    ["a cloud's domain where there is no firmware to ask", { resolvConf: 'search ec2.internal\n' }],
    ["a cloud's domain in another cloud", { resolvConf: 'search ec2.internal\n', clouds: ['azure'] }],
    ['a comment', { resolvConf: '# search ec2.internal\nsearch home # ec2.internal\n' }],
  ] as [string, Machine][])('tell no region where they hold %s', (_what, machine) => {
    expect(regionOf(machine)).toBeUndefined()
  })

  it('are the host name alone where there is no resolv.conf', () => {
    const names = readNodeNames({ environment: {}, hostName: 'Host.', resolvConf: '/nowhere' })
    expect(names).toEqual({ hosts: ['host'], searchDomains: [] })
  })
})
