import { findCountry } from '../gazetteer.ts'
import type { PlaceQuery } from '../place.ts'
import type { NodeNames } from './node-names.ts'

/** Every job has it (https://slurm.schedmd.com/sbatch.html#SECTION_OUTPUT-ENVIRONMENT-VARIABLES). */
const isJob = (environment: NodeJS.ProcessEnv): boolean => (environment['SLURM_JOB_ID'] ?? '') !== ''

/**
 * Clusters of the Digital Research Alliance of Canada and the provinces that they stand in: those of whom a page tells it.
 * - https://docs.alliancecan.ca/wiki/Cedar and https://docs.alliancecan.ca/wiki/Fir: Simon Fraser University, Burnaby
 * - https://docs.alliancecan.ca/wiki/Graham: University of Waterloo
 * - https://scinethpc.ca/news/citynews-canadian-supercomputing-gets-a-boost: Niagara and Trillium, in the region of Toronto
 * - https://kwade4.github.io/RAISE-DRI/clusters.html: Béluga and Narval, École de technologie supérieure, Montreal
 * - https://reporter.mcgill.ca/funding-injection-positions-mcgill-led-data-centre-and-supercomputer-cluster-to-meet-growing-needs-of-researchers-across-canada:
 *   Rorqual, in the same house
 * - https://www.amii.ca/updates-insights/amii-and-the-university-of-alberta-establish-major-ai-compute-site: Vulcan, University of Alberta
 */
const provinces: ReadonlyMap<string, string> = new Map([
  ['cedar', 'CA-BC'],
  ['fir', 'CA-BC'],
  ['vulcan', 'CA-AB'],
  ['graham', 'CA-ON'],
  ['niagara', 'CA-ON'],
  ['trillium', 'CA-ON'],
  ['beluga', 'CA-QC'],
  ['narval', 'CA-QC'],
  ['rorqual', 'CA-QC'],
])

/**
 * The province of a cluster that names itself in `CC_CLUSTER`
 * (https://github.com/ComputeCanada/software-stack-config/blob/main/profile.d/z-000-init.sh).
 */
export function provinceOfJob(environment: NodeJS.ProcessEnv): PlaceQuery | undefined {
  const region = provinces.get(environment['CC_CLUSTER'] ?? '')
  return region === undefined || !isJob(environment) ? undefined : { countryIsoCode: 'CAN', region }
}

/** Top-level domains of countries that are taken for their sound all over the world. */
const generic: ReadonlySet<string> = new Set([
  // As Google Search has them (https://developers.google.com/search/docs/specialty/international/managing-multi-regional-sites).
  ...['ad', 'ai', 'as', 'bz', 'cc', 'cd', 'co', 'dj', 'fm', 'gg', 'io', 'la', 'me', 'ms', 'nu', 'sc', 'sr'],
  ...['tk', 'tv', 'ws'],
  // And others that names are made with (https://en.wikipedia.org/wiki/Domain_hack).
  ...['ag', 'am', 'gs', 'ly', 'sh', 'st', 'to'],
])

/**
 * The country of the domain that the nodes of a computing centre are in: their clocks often stand at UTC, and `idris.fr`, `bsc.es` or
 * `csc.fi` tells more. Outside of jobs such a domain says who a machine belongs to rather than where it is. `undefined` where there is
 * none, or where two disagree.
 */
export function countryOfJob(
  environment: NodeJS.ProcessEnv,
  { hosts, searchDomains }: NodeNames,
): PlaceQuery | undefined {
  if (!isJob(environment)) return undefined
  // A name of fewer parts may end in anything: `node1.cl` of a cluster without a domain.
  const domains = [...hosts.map((name) => name.replace(/^[^.]*\.?/, '')), ...searchDomains]
  const countries = new Set(domains.flatMap((domain) => countryOfDomain(domain) ?? []))
  const [countryIsoCode] = countries
  return countries.size === 1 ? { countryIsoCode } : undefined
}

function countryOfDomain(domain: string): string | undefined {
  const topLevel = /^[a-z0-9.-]+\.([a-z]{2})$/.exec(domain)?.[1]
  if (topLevel === undefined || generic.has(topLevel)) return undefined
  // The code of the country is GB (https://www.iana.org/domains/root/db/uk.html).
  return findCountry(topLevel === 'uk' ? 'GB' : topLevel)?.countryIsoCode
}
