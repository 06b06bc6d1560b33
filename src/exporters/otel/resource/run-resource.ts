import { readFileSync } from 'node:fs'
import { arch, hostname } from 'node:os'
import { join } from 'node:path'
import type { Resource } from '@opentelemetry/resources'
import type { Resources } from '../otlp-packages.ts'
import { detectCloud, type CloudPlace } from './cloud.ts'
import { detectContainer } from './container.ts'
import { known, type Detected, type Surroundings } from './detected.ts'
import { detectKubernetes } from './kubernetes.ts'
import { selectDetectors } from './selection.ts'

/** What the resource of a run is made from. */
export interface RunResourceOptions {
  readonly projectName: string
  readonly runId: string
  /** Where the run is, as far as that is known at this moment. */
  readonly place: () => CloudPlace
  /** @default process.env */
  readonly environment?: Readonly<NodeJS.ProcessEnv> | undefined
  /** What all paths begin with. @default '/' */
  readonly rootPath?: string | undefined
  /** @default that of the system */
  readonly hostName?: string | undefined
  /** Hears of detectors that there are not. */
  readonly warn?: ((message: string) => void) | undefined
}

/**
 * What all figures of a run are of: service, host, process, container, pod and cloud. OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME have the last word,
 * and OTEL_NODE_RESOURCE_DETECTORS says what is looked for. The command line is not among it, since it may hold secrets, no program is run to find an id of the
 * host, and nobody is asked over the network.
 * @returns the resource of the moment, the same one as long as nothing new is known
 */
export function runResource(
  { defaultResource, resourceFromAttributes, detectResources, envDetector, osDetector }: Resources,
  options: RunResourceOptions,
): () => Resource {
  const { projectName, runId, place, environment = process.env, warn } = options
  const surroundings = surroundingsOf(options)
  const selection = selectDetectors(environment['OTEL_NODE_RESOURCE_DETECTORS'])
  if (selection.unknown.length > 0) {
    warn?.(`OTEL_NODE_RESOURCE_DETECTORS: there is no detector ${selection.unknown.join(', ')} here`)
  }
  const container = selection.has('container') ? detectContainer(surroundings) : {}
  const own: Detected = {
    'service.name': projectName,
    // What Prometheus makes the label `instance` of: two runs of a project at one time must not be one.
    'service.instance.id': runId,
    ...(selection.has('host') ? hostAttributes(surroundings, 'container.id' in container) : {}),
    ...(selection.has('process') ? processAttributes() : {}),
    ...container,
    ...(selection.has('k8s') ? detectKubernetes(surroundings) : {}),
  }
  const lasting = defaultResource()
    .merge(detectResources({ detectors: selection.has('os') ? [osDetector] : [] }))
    .merge(resourceFromAttributes(own))
  const said = detectResources({ detectors: selection.has('env') ? [envDetector] : [] })

  let last: { readonly of: string; readonly resource: Resource } | undefined
  return () => {
    const { cloudProvider, cloudRegion } = place()
    const of = `${cloudProvider} ${cloudRegion}`
    if (last?.of !== of) {
      const isWanted = cloudProvider !== undefined && selection.hasCloud(cloudProvider)
      const cloud = isWanted ? detectCloud({ cloudProvider, cloudRegion }, surroundings) : {}
      last = { of, resource: lasting.merge(resourceFromAttributes(cloud)).merge(said) }
    }
    return last.resource
  }
}

const surroundingsOf = ({
  environment = process.env,
  hostName = hostname(),
  rootPath = '/',
}: RunResourceOptions): Surroundings => ({
  environment,
  hostName,
  read(path) {
    try {
      return readFileSync(join(rootPath, path), 'utf8')
    } catch {
      // What is not there, or not ours to read, tells nothing.
      return undefined
    }
  },
})

/** What OpenTelemetry calls the architectures of Node.js. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' }

/** In a container the id of the machine is that of its image. https://man7.org/linux/man-pages/man5/machine-id.5.html */
const hostAttributes = ({ hostName, read }: Surroundings, isContainer: boolean): Detected =>
  known({
    'host.name': hostName,
    'host.arch': architectures[arch()] ?? arch(),
    'host.id': isContainer
      ? undefined
      : (read('/etc/machine-id') ?? read('/var/lib/dbus/machine-id'))?.trim(),
  })

const processAttributes = (): Detected => ({
  'process.pid': process.pid,
  'process.runtime.name': 'nodejs',
  'process.runtime.version': process.versions.node,
  'process.runtime.description': 'Node.js',
})
