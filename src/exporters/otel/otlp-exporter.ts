import type { Exporter } from '../../core/exporter.ts'
import { createMeterFeed } from './meter-feed.ts'
import { openOtlpPipeline, type OtlpPipeline } from './otlp-pipeline.ts'
import { readOtlpVariables } from './otlp-variables.ts'

/** What is sent, and where to. */
export interface OtlpExporterOptions {
  /** What the service is called where the variables do not say. */
  readonly projectName: string
  /**
   * Where the variables `OTEL_*` are that OpenTelemetry's packages do not read themselves.
   * @default process.env
   */
  readonly environment?: Readonly<NodeJS.ProcessEnv>
}

/**
 * Sends metrics by OTLP, for programs that have no OpenTelemetry SDK. The standard variables rule it. Counters are totals of the run, so that what a collector misses
 * while it is down comes with the next export.
 */
export function createOtlpExporter(options: OtlpExporterOptions): Exporter {
  const { projectName, environment = process.env } = options
  let pipeline: OtlpPipeline | undefined
  const feed = createMeterFeed({
    name: 'otlp',
    meterName: 'codecarbon',
    async findProvider(look) {
      const variables = readOtlpVariables(environment)
      if (variables.isDisabled) return () => undefined
      const { runId } = look().record
      const opened = await openOtlpPipeline(variables, { projectName, runId })
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
      if (failure !== undefined) throw inWords(failure)
    },
    // What there was to be sent went out with the last report.
    close: end,
  }
}

function inWords(failure: Error): Error {
  const { code, message } = failure as NodeJS.ErrnoException
  const why = [message, code].filter((part) => part !== undefined && part !== '')
  const reason = message.includes(String(code)) ? message : why.join(' ')
  return new Error(
    `the collector did not take the metrics (${reason}); it is looked for where OTEL_EXPORTER_OTLP_ENDPOINT says, or else on this machine`,
    { cause: failure },
  )
}
