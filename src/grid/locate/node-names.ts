import { readFileSync } from 'node:fs'
import { findCloudRegion } from '../cloud-region.ts'
import type { PlaceQuery } from '../place.ts'
import type { CloudsHere } from './clouds-here.ts'
import { regionOfZone } from './availability-zone.ts'

/** What this machine, or the one that this container runs on, is called. In lower case, without a dot at the end. */
export interface NodeNames {
  readonly hosts: readonly string[]
  /** Domains in which names without a dot are looked for. */
  readonly searchDomains: readonly string[]
}

/** Where {@link readNodeNames} looks. */
export interface NodeNamesOptions {
  readonly environment: NodeJS.ProcessEnv
  readonly hostName: string
  /** Path of resolv.conf(5). */
  readonly resolvConf: string
}

/** Under these names manifests hand `spec.nodeName` to a pod (https://kubernetes.io/docs/tasks/inject-data-application/environment-variable-expose-pod-information/). */
const nodeNameVariables = ['NODE_NAME', 'K8S_NODE_NAME', 'KUBERNETES_NODE_NAME', 'MY_NODE_NAME']

/**
 * Names that Kubernetes, the system and its name service know. A pod has its node's search domains behind those of its cluster
 * (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy).
 */
export function readNodeNames({ environment, hostName, resolvConf }: NodeNamesOptions): NodeNames {
  const hosts = [hostName, ...nodeNameVariables.map((name) => environment[name] ?? '')]
  return { hosts: hosts.flatMap(plain), searchDomains: searchDomainsIn(resolvConf).flatMap(plain) }
}

const plain = (name: string): string[] => {
  const word = name.trim().toLowerCase().replace(/\.$/, '')
  return word === '' ? [] : [word]
}

/** The last of the lines `search` and `domain` is the one that counts (resolv.conf(5)). */
function searchDomainsIn(path: string): string[] {
  try {
    const lines = [...readFileSync(path, 'utf8').matchAll(/^(?:search|domain)[ \t]+(.*)$/gm)]
    const [, words = ''] = lines.at(-1) ?? []
    return words.replace(/[#;].*/, '').split(/\s+/)
  } catch {
    // Not there (Windows), or not for us to read.
    return []
  }
}

/** Forms of a cloud's internal names, anchored, and the region that they hold. */
interface InternalNames {
  readonly cloudProvider: 'aws' | 'gcp'
  /** What stands before the domain in the name of a host. */
  readonly host: RegExp
  readonly regionOf: (domain: string) => string | undefined
}

/** Azure's names (`internal.cloudapp.net`) do not tell the region. */
const internalNames: readonly InternalNames[] = [
  {
    // `ip-10-24-34-0.us-west-2.compute.internal`, `i-0123456789abcdef.us-west-2.compute.internal`, and `ec2.internal` in us-east-1
    // (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html). The domain alone is that of the default DHCP options
    // (https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html).
    cloudProvider: 'aws',
    host: /^(?:ip-\d{1,3}(?:-\d{1,3}){3}|i-[0-9a-f]{8,17})\./,
    regionOf: (domain) =>
      domain === 'ec2.internal' ? 'us-east-1' : /^([a-z0-9-]+)\.compute\.internal$/.exec(domain)?.[1],
  },
  {
    // `NAME.us-central1-a.c.PROJECT.internal` (https://cloud.google.com/compute/docs/internal-dns).
    cloudProvider: 'gcp',
    host: /^[a-z](?:[a-z0-9-]*[a-z0-9])?\./,
    regionOf: (domain) => {
      const zone = /^([a-z0-9-]+)\.c\.[a-z0-9][a-z0-9.-]*\.internal$/.exec(domain)?.[1]
      return zone === undefined ? undefined : regionOfZone('gcp', zone)
    },
  },
]

/**
 * The cloud region that the names hold. `undefined` where they hold none that is known, where they contradict each other, or where the
 * firmware is not that cloud's. Where there is no firmware to ask, search domains say nothing: a laptop may have a cloud's from a VPN.
 */
export function regionOfNames(
  { hosts, searchDomains }: NodeNames,
  cloudsHere: () => CloudsHere,
): PlaceQuery | undefined {
  const ofHosts = internalNames.flatMap(({ cloudProvider, host, regionOf }) =>
    hosts
      .filter((name) => host.test(name))
      .flatMap((name) => toRegion(cloudProvider, regionOf(name.replace(host, '')))),
  )
  const ofDomains = internalNames.flatMap(({ cloudProvider, regionOf }) =>
    searchDomains.flatMap((domain) => toRegion(cloudProvider, regionOf(domain))),
  )
  if (ofHosts.length + ofDomains.length === 0) return undefined
  const { clouds, isSure } = cloudsHere()
  const found = [...ofHosts, ...ofDomains]
  const [first] = found
  if (first === undefined || found.some(({ cloudRegion }) => cloudRegion !== first.cloudRegion)) {
    return undefined
  }
  const isHere = isSure ? clouds.includes(first.cloudProvider) : ofHosts.length > 0
  return isHere ? first : undefined
}

interface Region {
  readonly cloudProvider: 'aws' | 'gcp'
  readonly cloudRegion: string
}

/** A region that the tables know by exactly this name. */
const toRegion = (cloudProvider: Region['cloudProvider'], cloudRegion: string | undefined): Region[] =>
  cloudRegion !== undefined && findCloudRegion(cloudProvider, cloudRegion)?.cloudRegion === cloudRegion
    ? [{ cloudProvider, cloudRegion }]
    : []
