import { readFileSync } from 'node:fs'
import { messageOf } from '../../core/errors.ts'
import { quoteAddress } from '../service-address.ts'
import type { Certificates } from './otlp-agent.ts'

/** What the standard variables say that the packages of OpenTelemetry leave to whoever puts them together, or take without a word where it is wrong. */
export interface OtlpVariables {
  readonly isDisabled: boolean
  readonly protocol: OtlpProtocol
  /** Between two exports, in milliseconds; `undefined` where it is not said. */
  readonly intervalMs: number | undefined
  /** For one export. */
  readonly exportTimeoutMs: number | undefined
  /** For a request; `undefined` where it is not said. */
  readonly requestTimeoutMs: number | undefined
  readonly certificates: Certificates
}

/** How metrics are sent. */
export type OtlpProtocol = (typeof protocols)[number]

const protocols = ['http/protobuf', 'http/json', 'grpc'] as const
const compressions = ['gzip', 'none'] as const

/** A variable that is set, and what it is set to. */
interface Setting {
  readonly name: string
  readonly value: string
}
type Find = (name: string) => Setting | undefined

/**
 * Reads those variables. Endpoint, headers, compression and temporality are read by the exporters, and the attributes of the resource by
 * `@opentelemetry/resources`. What they would pass over, to send somewhere else than it was meant, is an error here.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 * @throws Error that names the variable, what was expected and what came
 */
export function readOtlpVariables(environment: Readonly<NodeJS.ProcessEnv>): OtlpVariables {
  const variable: Find = (name) => {
    // The specification: an empty value is none.
    const value = environment[name]?.trim() ?? ''
    return value === '' ? undefined : { name, value }
  }
  /** The variable of metrics goes before that of everything. */
  const ofExporter: Find = (name) =>
    variable(`OTEL_EXPORTER_OTLP_METRICS_${name}`) ?? variable(`OTEL_EXPORTER_OTLP_${name}`)

  const protocol = oneOf(protocols, ofExporter('PROTOCOL')) ?? 'http/protobuf'
  oneOf(compressions, ofExporter('COMPRESSION'))
  const endpoint = ofExporter('ENDPOINT')
  if (endpoint !== undefined) checkEndpoint(endpoint, protocol)
  return {
    isDisabled: variable('OTEL_SDK_DISABLED')?.value.toLowerCase() === 'true',
    protocol,
    intervalMs: milliseconds(variable('OTEL_METRIC_EXPORT_INTERVAL')),
    exportTimeoutMs: milliseconds(variable('OTEL_METRIC_EXPORT_TIMEOUT')),
    requestTimeoutMs: milliseconds(ofExporter('TIMEOUT')),
    certificates: {
      ca: fileOf(ofExporter('CERTIFICATE')),
      cert: fileOf(ofExporter('CLIENT_CERTIFICATE')),
      key: fileOf(ofExporter('CLIENT_KEY')),
    },
  }
}

function oneOf<Choice extends string>(
  choices: readonly Choice[],
  setting: Setting | undefined,
): Choice | undefined {
  if (setting === undefined) return undefined
  const { name, value } = setting
  const chosen = choices.find((known) => known === value)
  if (chosen === undefined) {
    throw new Error(`${name}: expected one of ${choices.join(', ')}, but it is ${JSON.stringify(value)}`)
  }
  return chosen
}

/** Of gRPC an address without a scheme will do. */
function checkEndpoint({ name, value }: Setting, protocol: OtlpProtocol): void {
  const url = protocol === 'grpc' && !value.includes('://') ? `http://${value}` : value
  if (URL.canParse(url) && (protocol === 'grpc' || /^https?:$/.test(new URL(url).protocol))) return
  const example = protocol === 'grpc' ? 'http://localhost:4317' : 'http://localhost:4318'
  throw new Error(`${name}: expected a URL such as ${example}, but it is ${quoteAddress(value)}`)
}

function fileOf(setting: Setting | undefined): Buffer | undefined {
  if (setting === undefined) return undefined
  try {
    return readFileSync(setting.value)
  } catch (error) {
    throw new Error(
      `${setting.name}: expected the path of a file in PEM format, but it is not read: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** What a timer of Node.js can wait for, 24.8 days; it takes anything longer for 1 ms. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestTimerMs = 2 ** 31 - 1

/** The specification: what is no number is passed over, as if it were not given. */
function milliseconds(setting: Setting | undefined): number | undefined {
  const number = setting === undefined ? Number.NaN : Number(setting.value)
  return Number.isInteger(number) && number > 0 ? Math.min(number, longestTimerMs) : undefined
}
