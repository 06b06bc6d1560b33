import type { Exporter } from '../../core/exporter.ts'
import { begunMs } from '../beginnings.ts'
import { createMeterFeed } from './meter-feed.ts'
import { openOtlpPipeline, type Destination, type OtlpPipeline } from './otlp-pipeline.ts'
import { readOtlpVariables, type OtlpVariables } from './otlp-variables.ts'
import { runResource } from './resource/run-resource.ts'

/** What is sent, and where to. */
export interface OtlpExporterOptions {
  /** What the service is called where the variables do not say. */
  readonly projectName: string
  /** Hears of what is wrong and goes on. @default nobody */
  readonly warn?: (message: string) => void
  /** Labels of scopes that become attributes. @default [] */
  readonly scopeLabels?: readonly string[] | undefined
  /**
   * Where the variables `OTEL_*` are that OpenTelemetry's packages do not read themselves.
   * @default process.env
   */
  readonly environment?: Readonly<NodeJS.ProcessEnv>
}

/** A collector of its own kind. */
export interface OtlpService {
  readonly name: string
  /** In the sentence "… did not take the metrics". */
  readonly service: string
  /** What to look at where it does not. */
  readonly hint: string
  /** Where it is, and how it is sent to. Throws where that is not known. */
  readonly settings: (environment: Readonly<NodeJS.ProcessEnv>) => {
    readonly variables: OtlpVariables
    readonly destination?: Destination
  }
}

const collector: OtlpService = {
  name: 'otlp',
  service: 'the collector',
  hint: 'it is looked for where OTEL_EXPORTER_OTLP_ENDPOINT says, or else on this machine',
  settings: (environment) => ({ variables: readOtlpVariables(environment) }),
}

/**
 * Sends metrics by OTLP, for programs that have no OpenTelemetry SDK. The standard variables rule it. Counters are totals of the run, so that what a collector misses
 * while it is down comes with the next export.
 */
export function createOtlpExporter(
  options: OtlpExporterOptions,
  { name, service, hint, settings }: OtlpService = collector,
): Exporter {
  const { projectName, scopeLabels, environment = process.env, warn } = options
  let pipeline: OtlpPipeline | undefined
  const feed = createMeterFeed({
    name,
    meterName: 'codecarbon',
    scopeLabels,
    async findProvider(look) {
      const { variables, destination } = settings(environment)
      if (variables.isDisabled) return () => undefined
      const { runId } = look().record
      const opened = await openOtlpPipeline({
        variables,
        destination,
        begunMs: (metricName) => begunMs(look(), metricName),
        resource: ({ resources }) =>
          runResource(resources, { projectName, runId, environment, warn, place: () => look().record }),
      })
      pipeline = opened
      return () => opened.provider
    },
  })
  async function end(): Promise<void> {
    const ending = pipeline
    pipeline = undefined
    await ending?.shutdown()
  }

  return {
    ...feed,
    async export(report) {
      await feed.export(report)
      const open = pipeline
      const { reason } = report
      if (reason === 'stop') await end()
      else if (reason === 'flush' || reason === 'signal') await open?.flush()
      const failure = open?.failure()
      if (failure !== undefined) throw inWords(failure, service, hint)
    },
    // What there was to be sent went out with the last report.
    close: end,
  }
}

function inWords(failure: Error, service: string, hint: string): Error {
  const { code, message } = failure as NodeJS.ErrnoException
  const why = [message, code].filter((part) => part !== undefined && part !== '')
  const reason = message.includes(String(code)) ? message : why.join(' ')
  return new Error(`${service} did not take the metrics (${reason}); ${hint}`, { cause: failure })
}
