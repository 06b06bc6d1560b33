import { createRequire } from 'node:module'
import { messageOf } from '../../core/errors.ts'
import type { MetricsSdk, OtlpPackages, Resources } from './otlp-packages.ts'

const name = '@opentelemetry/exporter-metrics-otlp-grpc'
/** Of the line that runs on every Node that this package runs on: 0.301 and later need Node 22.15. */
const version = '0.223'
/** What it builds on, and through which it has the SDK. */
const base = '@opentelemetry/exporter-metrics-otlp-http'

/**
 * Loads the exporter of the program, and with it the SDK that it was made for: one of another line may not fit.
 * @throws Error that says how to install it where it is not there
 */
export function loadGrpcPackages(require: NodeJS.Require = createRequire(import.meta.url)): OtlpPackages {
  try {
    // By `require`, since `import` reads each file of a CommonJS package twice to find its names.
    const { OTLPMetricExporter } = require(name) as Pick<OtlpPackages, 'OTLPMetricExporter'>
    const beside = createRequire(createRequire(require.resolve(name)).resolve(base))
    return {
      OTLPMetricExporter,
      sdk: beside('@opentelemetry/sdk-metrics') as MetricsSdk,
      resources: beside('@opentelemetry/resources') as Resources,
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    const [what] = messageOf(error).split('\n')
    throw new Error(`${what}; run: npm install ${name}@${version}`, { cause: error })
  }
}
