import { createRequire } from 'node:module'
import type * as resources from '@opentelemetry/resources'
import type * as sdkMetrics from '@opentelemetry/sdk-metrics'
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { Agent } from 'node:http'
import { messageOf } from '../../core/errors.ts'
import type { OtlpProtocol } from './otlp-variables.ts'

/** What of OpenTelemetry's packages sends metrics. */
export interface OtlpPackages {
  readonly sdk: typeof sdkMetrics
  readonly resources: typeof resources
  readonly OTLPMetricExporter: new (settings: OtlpExporterSettings) => PushMetricExporter
}

/** What is said to an exporter; the standard variables say the rest. Those of gRPC know the timeout alone. */
export interface OtlpExporterSettings {
  /** For a request with its repetitions. */
  readonly timeoutMillis?: number
  readonly httpAgentOptions?: (protocol: string) => Promise<Agent>
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends by http/json; the packages of the other protocols build on it. */
const base = '@opentelemetry/exporter-metrics-otlp-http'

const exporters: Readonly<Record<OtlpProtocol, string>> = {
  'http/protobuf': '@opentelemetry/exporter-metrics-otlp-proto',
  'http/json': base,
  grpc: '@opentelemetry/exporter-metrics-otlp-grpc',
}

/** Of the line that runs on every Node that this package runs on: 0.301 and later need Node 22.15. */
const version = '0.223'

/**
 * Loads the exporter of a protocol, which programs have only where they want it, and with it the SDK that it was made for: another copy
 * beside it costs memory, and one of another line may not fit.
 *
 * They are loaded by `require`, since `import` reads each file of a CommonJS package twice to find its names.
 * @throws Error that says how to install it where it is not there
 */
export function loadOtlpPackages(
  protocol: OtlpProtocol,
  require: NodeJS.Require = createRequire(import.meta.url),
): OtlpPackages {
  const name = exporters[protocol]
  try {
    const { OTLPMetricExporter } = require(name) as Pick<OtlpPackages, 'OTLPMetricExporter'>
    const path = require.resolve(name)
    const beside = createRequire(name === base ? path : createRequire(path).resolve(base))
    return {
      OTLPMetricExporter,
      sdk: beside('@opentelemetry/sdk-metrics') as typeof sdkMetrics,
      resources: beside('@opentelemetry/resources') as typeof resources,
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    const [what] = messageOf(error).split('\n')
    throw new Error(`${what}; run: npm install ${name}@${version}`, { cause: error })
  }
}
