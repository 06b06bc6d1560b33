import type { Exporter } from '../../core/exporter.ts'
import { quoteAddress } from '../service-address.ts'
import type { Destination } from './otlp-pipeline.ts'
import { createOtlpExporter, type OtlpExporterOptions, type OtlpService } from './otlp-exporter.ts'
import { readOtlpVariables } from './otlp-variables.ts'

/** Tokens since version 1 name the region of their project: `pylf_v1_eu_…`. Older ones are of the first region. */
const regionOfToken = /^pylf_v\d+_([a-z]+)_/
const firstRegion = 'us'
/** Where each region takes OTLP. https://logfire.pydantic.dev/docs/reference/data-regions/ */
const addresses: Readonly<Record<string, string>> = {
  us: 'https://logfire-us.pydantic.dev',
  eu: 'https://logfire-eu.pydantic.dev',
}

/**
 * Sends metrics to Logfire by OTLP, with the variables of its own programs: LOGFIRE_TOKEN, the write token of a project, and LOGFIRE_BASE_URL where it is hosted elsewhere.
 * What the standard variables say of intervals, temporality and compression counts; their endpoint and headers are those of another collector.
 * https://logfire.pydantic.dev/docs/how-to-guides/alternative-clients/
 */
export const createLogfireExporter = (options: OtlpExporterOptions): Exporter =>
  createOtlpExporter(options, logfire)

const logfire: OtlpService = {
  name: 'logfire',
  service: 'Logfire',
  hint: 'check LOGFIRE_TOKEN, and LOGFIRE_BASE_URL where it is set',
  settings(environment) {
    // It takes protocol buffers and JSON over HTTP alone, and of the certificates none is meant for it.
    const { OTEL_SDK_DISABLED, OTEL_METRIC_EXPORT_INTERVAL, OTEL_METRIC_EXPORT_TIMEOUT } = environment
    const variables = readOtlpVariables({
      OTEL_SDK_DISABLED,
      OTEL_METRIC_EXPORT_INTERVAL,
      OTEL_METRIC_EXPORT_TIMEOUT,
    })
    return { variables, destination: findLogfire(environment) }
  },
}

/**
 * Where Logfire is sent to, and as whom.
 * @throws Error that names the variable that is missing or wrong
 */
export function findLogfire(environment: Readonly<NodeJS.ProcessEnv>): Destination {
  const token = environment['LOGFIRE_TOKEN']?.trim() ?? ''
  if (token === '') {
    throw new Error(
      'LOGFIRE_TOKEN is not set: expected the write token of a project, which its settings at Logfire give out',
    )
  }
  const url = new URL('v1/metrics', baseUrl(environment, token)).href
  return { url, headers: { Authorization: token } }
}

function baseUrl(environment: Readonly<NodeJS.ProcessEnv>, token: string): string {
  const given = environment['LOGFIRE_BASE_URL']?.trim() ?? ''
  if (given !== '') {
    if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
      throw new Error(
        `LOGFIRE_BASE_URL: expected a URL such as ${addresses[firstRegion]}, but it is ${quoteAddress(given)}`,
      )
    }
    return given.endsWith('/') ? given : `${given}/`
  }
  const region = regionOfToken.exec(token)?.[1] ?? firstRegion
  const address = addresses[region]
  if (address === undefined) {
    throw new Error(
      `LOGFIRE_TOKEN is of the region "${region}", expected ${Object.keys(addresses).join(' or ')}: give its address in LOGFIRE_BASE_URL`,
    )
  }
  return address
}
