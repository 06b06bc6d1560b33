import { cloudTable, type CloudRegionRow } from './tables.ts'

/** Other names that people and metadata services give to the providers of `data/cloud-regions.json`. */
const providerNames: Readonly<Record<string, string>> = {
  aws: 'aws',
  amazon: 'aws',
  'amazon web services': 'aws',
  azure: 'azure',
  microsoft: 'azure',
  'microsoft azure': 'azure',
  gcp: 'gcp',
  google: 'gcp',
  'google cloud': 'gcp',
  'google cloud platform': 'gcp',
  ovh: 'ovh',
  ovhcloud: 'ovh',
}

/** The providers whose regions are known. */
export const cloudProviders: readonly string[] = [...new Set(Object.values(providerNames))]

/** The provider's short name, or `undefined` where it is not known. */
export function findCloudProvider(name: string): string | undefined {
  const word = name.trim().toLowerCase()
  return Object.hasOwn(providerNames, word) ? providerNames[word] : undefined
}

/**
 * The row of a cloud region. Zones count as their region (`us-central1-a`, `us-east-1b`), and Azure's display names
 * as the names (`West Europe`). Without a provider the name must be one provider's alone.
 */
export function findCloudRegion(cloudProvider: string | undefined, name: string): CloudRegionRow | undefined {
  const word = name.toLowerCase().replace(/\s+/g, '')
  const rows = cloudTable().rows.filter(
    (row) => cloudProvider === undefined || row.cloudProvider === cloudProvider,
  )
  for (const spelling of [word, word.replace(/-?[a-f]$/, '')]) {
    const found = rows.filter((row) => row.cloudRegion === spelling)
    if (found.length === 1) return found[0]
  }
  return undefined
}

/** The regions of one provider, or of all. */
export function cloudRegionNames(cloudProvider: string | undefined): string[] {
  return cloudTable()
    .rows.filter((row) => cloudProvider === undefined || row.cloudProvider === cloudProvider)
    .map((row) => row.cloudRegion)
}
