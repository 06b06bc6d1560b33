import { findCloudRegion } from '../cloud-region.ts'
import type { PlaceQuery } from '../place.ts'
import { regionOfZone } from './availability-zone.ts'

/**
 * Values of `cloud.provider` whose regions are known here, of those that the semantic conventions name
 * (https://opentelemetry.io/docs/specs/semconv/registry/attributes/cloud/).
 */
const providers = ['aws', 'azure', 'gcp'] as const

/**
 * The cloud region that `OTEL_RESOURCE_ATTRIBUTES` gives. What describes the resource that a program runs on to one tool holds for another.
 * Labels of Kubernetes come this way as well: pods have their node's region and zone since 1.35, and hand them on under names of their own
 * choice (https://www.kubernetes.dev/resources/keps/4742/). `undefined` where the provider or the region is not known, or where region and zone disagree.
 */
export function regionOfResourceAttributes(environment: NodeJS.ProcessEnv): PlaceQuery | undefined {
  const attributes = parseAttributes(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? '')
  const word = (name: string): string => (attributes.get(name) ?? '').toLowerCase()
  const cloudProvider = providers.find((provider) => provider === word('cloud.provider'))
  if (cloudProvider === undefined) return undefined
  const region = word('cloud.region')
  const zone = word('cloud.availability_zone')
  // Zones of Azure are numbers, which do not tell the region.
  const hasPlace = zone !== '' && cloudProvider !== 'azure'
  const ofZone = hasPlace ? regionOfZone(cloudProvider, zone) : undefined
  if (hasPlace && (ofZone === undefined || (region !== '' && region !== ofZone))) return undefined
  const row = findCloudRegion(cloudProvider, ofZone ?? region)
  return row === undefined ? undefined : { cloudProvider, cloudRegion: row.cloudRegion }
}

/**
 * `key=value` pairs between commas, values percent-encoded. None at all where one cannot be decoded, as the specification has it
 * (https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable).
 */
function parseAttributes(text: string): ReadonlyMap<string, string> {
  try {
    return new Map(
      text.split(',').flatMap((pair) => {
        const at = pair.indexOf('=')
        const key = pair.slice(0, Math.max(0, at)).trim()
        return key === '' ? [] : [[key, decodeURIComponent(pair.slice(at + 1).trim())] as const]
      }),
    )
  } catch {
    // A "%" that is no percent-encoding.
    return new Map()
  }
}
