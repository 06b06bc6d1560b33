import { hostname } from 'node:os'
import type * as resources from '@opentelemetry/resources'
import type { Resource } from '@opentelemetry/resources'

/** What the resource of a run is made from. */
export interface RunResourceOptions {
  readonly projectName: string
  readonly runId: string
}

/**
 * What all figures of a run are of. OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME have the last word. The command line is not among it, since
 * it may hold secrets, and no program is run to find an id of the host.
 */
export function runResource(
  { defaultResource, resourceFromAttributes, detectResources, envDetector }: typeof resources,
  { projectName, runId }: RunResourceOptions,
): Resource {
  const own = {
    'service.name': projectName,
    // What Prometheus makes the label `instance` of: two runs of a project at one time must not be one.
    'service.instance.id': runId,
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  }
  return defaultResource()
    .merge(resourceFromAttributes(own))
    .merge(detectResources({ detectors: [envDetector] }))
}
