import { hostname } from 'node:os'
import { createApiOutput } from './api-output.ts'
import { comparisonsFor } from './comparisons-for.ts'
import type { Options } from './config/option-table.ts'
import type { Clock } from './core/clock.ts'
import type { EmissionsData } from './core/emissions-data.ts'
import type { Exporter } from './core/exporter.ts'
import { createGithubSummary } from './exporters/github/github-summary.ts'
import { stepSummaryPath, stepSummaryVariable } from './exporters/github/step-summary.ts'
import { createJsonlExporter } from './exporters/jsonl-exporter.ts'
import { createLoggerExporter } from './exporters/logger-exporter.ts'
import { createTextfileExporter } from './exporters/prometheus/textfile.ts'
import type { Credentials } from './exporters/service-address.ts'
import { httpRequest, type Fetch } from './http/http-request.ts'
import { lazyExporter } from './lazy-exporter.ts'
import type { Log } from './log.ts'
import { packageHomepage } from './version.ts'

/** What outputs are put together with. */
export interface OutputParts {
  readonly log: Log
  readonly clock: Clock
  /** Where the rows of the run go. */
  readonly csvPath: () => string | undefined
  /** How services are asked. @default httpRequest */
  readonly fetch?: Fetch | undefined
  /** Time that outputs have at the end of the run, in milliseconds. */
  readonly endMs?: number | undefined
}

/**
 * The outputs that are handed the figures and asked by nobody, as far as options ask for them. Those that write files are there from the
 * first moment, since a program may end before anything more can be loaded; what goes over a network cannot be sent then anyway.
 */
export function createOutputs(options: Options, parts: OutputParts): Exporter[] {
  return [
    ...fileOutputs(options, parts),
    // Offline it keeps what another run may send.
    ...(options.outputMethods.includes('api') ? [createApiOutput(options, parts)] : []),
    ...networkOutputs(options, parts),
    ...cometOutput(options, parts),
  ]
}

/** Offline it writes an archive. */
function cometOutput(options: Options, parts: OutputParts): Exporter[] {
  if (!options.outputMethods.includes('comet')) return []
  return [
    lazyExporter('comet', async () => {
      const { createCometOutput } = await import('./comet-output.ts')
      return createCometOutput(options, parts)
    }),
  ]
}

function fileOutputs(options: Options, { log, csvPath }: OutputParts): Exporter[] {
  const { outputMethods, prometheusTextfile, prometheusCompatNames } = options
  const outputs: Exporter[] = []
  if (outputMethods.includes('jsonl')) {
    const onFallback = (message: string): void => {
      log('warning', message)
    }
    outputs.push(createJsonlExporter({ ...options, csvPath, onFallback }))
  }
  if (outputMethods.includes('logger')) {
    outputs.push(
      createLoggerExporter((line) => {
        log('info', line)
      }),
    )
  }
  if (outputMethods.includes('github')) outputs.push(...githubOutput(log))
  if (prometheusTextfile !== undefined) {
    outputs.push(
      createTextfileExporter({
        path: prometheusTextfile,
        hasCompatNames: prometheusCompatNames,
        scopeLabels: options.scopeLabels,
      }),
    )
  }
  return outputs
}

/** A configuration is often the same on the machines of people, where there is no job. */
function githubOutput(log: Log): Exporter[] {
  const path = stepSummaryPath(process.env)
  if (path !== undefined) {
    const comparisons = (data: EmissionsData): string[] => comparisonsFor(data).map(({ text }) => text)
    return [createGithubSummary({ path, comparisons, documentation: packageHomepage() })]
  }
  log('info', `output github: ${stepSummaryVariable} is not set, so this is no job of GitHub Actions`)
  return []
}

function networkOutputs(options: Options, { log, clock, fetch: given }: OutputParts): Exporter[] {
  const fetch = given ?? httpRequest
  const { outputMethods, prometheusUrl, prometheusDeleteAtEnd, emissionsEndpoint, offline } = options
  const outputs: Exporter[] = []
  if (outputMethods.includes('mlflow')) {
    outputs.push(
      lazyExporter(
        'mlflow',
        async () => {
          const { createMlflowOutput } = await import('./integrations/mlflow/mlflow-output.ts')
          return createMlflowOutput({}, { log, clock, fetch: given })
        },
        { isRemote: true },
      ),
    )
  }
  if (outputMethods.includes('prometheus')) {
    outputs.push(
      lazyExporter(
        'prometheus',
        async () => {
          const { createPushgateway } = await import('./exporters/prometheus/pushgateway.ts')
          const { takeSlot } = await import('./host/slot.ts')
          return createPushgateway({
            url: prometheusUrl,
            takeInstance(of) {
              const slot = takeSlot({ of, clock })
              return {
                name: instanceName(slot.number),
                release() {
                  slot.close()
                },
              }
            },
            credentials: pushCredentials(process.env),
            isDeletedAtEnd: prometheusDeleteAtEnd,
            hasCompatNames: options.prometheusCompatNames,
            scopeLabels: options.scopeLabels,
            fetch,
            clock,
          })
        },
        { isShared: true, isRemote: true },
      ),
    )
  }
  if (emissionsEndpoint !== undefined) {
    outputs.push(
      lazyExporter(
        'emissions_endpoint',
        async () => {
          const { createEmissionsEndpoint } = await import('./exporters/emissions-endpoint.ts')
          return createEmissionsEndpoint({ url: emissionsEndpoint, fetch, clock })
        },
        { isRemote: true },
      ),
    )
  }
  if (!offline) return outputs
  for (const { name } of outputs)
    log('warning', `output ${name}: offline makes no connection, so nothing is sent`)
  return []
}

/** No name of another host has a colon. */
const instanceName = (slot: number): string => (slot === 1 ? hostname() : `${hostname()}:${slot}`)

/** Those that CodeCarbon for Python pushes with. */
function pushCredentials(environment: NodeJS.ProcessEnv): Credentials | undefined {
  const { PROMETHEUS_USERNAME: user = '', PROMETHEUS_PASSWORD: password = '' } = environment
  return user === '' ? undefined : { user, password }
}
