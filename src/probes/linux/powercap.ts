import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DomainKind } from '../../core/reading.ts'
import { fromMicrojoules, type Joules } from '../../core/units.ts'

/**
 * The RAPL zones of the powercap framework (kernel documentation: power/powercap/powercap.rst), found under a sysfs root.
 * Folders are called `intel-rapl:<package>` and `intel-rapl:<package>:<part>`; AMD processors use the same names.
 */
export interface PowercapZone {
  /** Name of the folder, such as `intel-rapl:0:1`. */
  readonly id: string
  /** Unique name of the domain: `package-0`, `dram-0`, `core-1`, `psys`. */
  readonly domain: string
  readonly kind: DomainKind
  /** Domain of the zone this one lies in. */
  readonly inside: string | undefined
  readonly path: string
  readonly energyPath: string
  /** Energy at which the counter starts again. */
  readonly range: Joules | undefined
}

/** The ways to one domain's counter, the best first. They are one piece of silicon and count once. */
export type PowercapDomain = readonly [PowercapZone, ...PowercapZone[]]

/**
 * Domains that are there now, each piece of silicon once: `intel-rapl-mmio` zones are the same counters as their MSR twins by another way
 * (and are preferred, as the kernel's own tools do), links lead to folders seen already, and of two zones with one name the first counts
 * where it can be read.
 */
export function findPowercapDomains(sysfsPath: string): readonly PowercapDomain[] {
  const folders = new Map<string, string>()
  for (const root of [join(sysfsPath, 'class/powercap'), join(sysfsPath, 'devices/virtual/powercap')]) {
    collectFolders(root, folders)
  }
  const names = new Map<string, string>()
  for (const [id, path] of folders) names.set(id, readTrimmed(join(path, 'name')) ?? '')

  const domains = new Map<string, [PowercapZone, ...PowercapZone[]]>()
  for (const id of [...folders.keys()].toSorted(mmioFirst)) {
    const path = folders.get(id) ?? ''
    const owner = id.split(':').length > 2 ? names.get(id.slice(0, id.lastIndexOf(':'))) : undefined
    const zone = describeZone(id, path, names.get(id) ?? '', owner)
    const ways = domains.get(zone.domain)
    if (ways === undefined) domains.set(zone.domain, [zone])
    else ways.push(zone)
  }
  return [...domains.values()].toSorted(([a], [b]) => compare(a.domain, b.domain))
}

/** `intel-rapl` and `intel-rapl-mmio` folders at any depth; a zone's folder is met on several ways and kept once. */
function collectFolders(root: string, folders: Map<string, string>, depth = 0): void {
  for (const name of list(root)) {
    if (!name.startsWith('intel-rapl')) continue
    const path = join(root, name)
    if (name.includes(':')) {
      if (folders.has(name)) continue
      if (readTrimmed(join(path, 'name')) !== undefined) folders.set(name, path)
    }
    if (depth < 3) collectFolders(path, folders, depth + 1)
  }
}

function describeZone(id: string, path: string, name: string, owner: string | undefined): PowercapZone {
  const suffix = owner?.startsWith('package-') === true ? owner.slice('package'.length) : ''
  const kind = kindOf(name)
  const isTop = kind === 'package' || kind === 'psys'
  return {
    id,
    kind,
    domain: isTop ? name : `${name === '' ? 'unnamed' : name}${owner === undefined ? '' : suffix}`,
    inside: owner,
    path,
    energyPath: join(path, 'energy_uj'),
    range: parseRange(readTrimmed(join(path, 'max_energy_range_uj'))),
  }
}

function kindOf(name: string): DomainKind {
  if (/^package-\d+(-die-\d+)?$/.test(name)) return 'package'
  if (/^psys(-\d+)?$/.test(name)) return 'psys'
  if (name === 'core' || name === 'uncore' || name === 'dram') return name
  return 'other'
}

function parseRange(text: string | undefined): Joules | undefined {
  return text !== undefined && /^\d+$/.test(text) ? fromMicrojoules(Number(text)) : undefined
}

const mmioFirst = (a: string, b: string): number =>
  Number(b.startsWith('intel-rapl-mmio')) - Number(a.startsWith('intel-rapl-mmio')) || compare(a, b)

const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })

function list(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    // Not a folder, or not there: nothing to collect, and the detector says so if nothing is found at all.
    return []
  }
}

function readTrimmed(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    // An attribute that is missing or unreadable is unknown, which its callers handle.
    return undefined
  }
}
