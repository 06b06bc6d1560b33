import { InvalidArgumentError, type Command } from 'commander'
import { systemClock } from '../core/clock.ts'
import { ConfigError } from '../core/errors.ts'
import { parseMoment, parseRange } from '../fleet/duration.ts'
import { fleetRuns, type FleetRuns } from '../fleet/fleet-runs.ts'
import { headerValue, parseHeader, readHttpConfig } from '../fleet/http-config.ts'
import { createPrometheusApi } from '../fleet/prometheus-api.ts'
import { parseMatch } from '../fleet/queries.ts'
import { createHttpRequest } from '../http/http-request.ts'

/** What `report` was told of a Prometheus. */
export interface PrometheusFlags {
  readonly fromPrometheus?: string
  readonly range?: string
  readonly until?: string
  readonly match?: string
  readonly header?: readonly string[]
  readonly httpConfigFile?: string
  readonly timeout?: number
}

/** Adds the flags of a statement about a fleet. */
export function addPrometheusFlags(command: Command): Command {
  return command
    .option(
      '--from-prometheus <url>',
      'sum what a Prometheus scraped instead of files; Thanos, Mimir and the like too, with the prefix of their path',
    )
    .option('--range <duration>', 'how far to look back in Prometheus, such as 12h or 1w (default: 30d)')
    .option('--until <time>', 'where the range ends, such as 2026-11-01 or 2026-11-01T12:00Z (default: now)')
    .option('--match <matchers>', 'count series with these labels only, such as \'job="codecarbon"\'')
    .option(
      '--header <name: value>',
      'send this header to Prometheus, such as X-Scope-OrgID: team; may be given again',
      collect,
    )
    .option(
      '--http-config-file <file>',
      'who asks Prometheus, in the form of its http_config: basic_auth, authorization, tls_config, http_headers',
    )
    .option('--timeout <seconds>', 'for each question to Prometheus (default: 120)', toTimeout)
}

/** Asks the Prometheus that the flags name; `undefined` where they name none. */
export async function readPrometheus(flags: PrometheusFlags): Promise<FleetRuns | undefined> {
  if (flags.fromPrometheus === undefined) {
    refuseWithoutPrometheus(flags)
    return undefined
  }
  const untilMs = flags.until === undefined ? Date.now() : parseMoment(flags.until, '--until')
  const span = { fromMs: untilMs - parseRange(flags.range ?? '30d', '--range'), untilMs }
  const match = flags.match === undefined ? undefined : parseMatch(flags.match)
  const file = flags.httpConfigFile === undefined ? undefined : await readHttpConfig(flags.httpConfigFile)
  const api = createPrometheusApi({
    address: flags.fromPrometheus,
    headers: {
      ...fromEnvironment(),
      ...file?.headers,
      ...Object.fromEntries((flags.header ?? []).map(parseHeader)),
    },
    credentials: credentialsFromEnvironment(),
    fetch: createHttpRequest(file?.tls ?? {}),
    clock: systemClock,
    timeoutMs: (flags.timeout ?? 120) * 1000,
  })
  // Requests keep no program waiting, but here there is nothing else to do.
  const wait = setInterval(() => undefined, 60_000)
  try {
    return await fleetRuns(api, span, match)
  } finally {
    clearInterval(wait)
  }
}

/** @throws ConfigError for a flag that means nothing where files are read */
function refuseWithoutPrometheus(flags: PrometheusFlags): void {
  const names = {
    range: 'range',
    until: 'until',
    match: 'match',
    header: 'header',
    httpConfigFile: 'http-config-file',
    timeout: 'timeout',
  } as const
  const odd = Object.entries(names).find(([key]) => flags[key as keyof typeof names] !== undefined)
  if (odd !== undefined)
    throw new ConfigError(`--${odd[1]} is about a Prometheus: give --from-prometheus too`)
}

function fromEnvironment(): Record<string, string> {
  const token = process.env['PROMETHEUS_BEARER_TOKEN']?.trim()
  if (token === undefined || token === '') return {}
  try {
    return { authorization: headerValue(`Bearer ${token}`, 'PROMETHEUS_BEARER_TOKEN') }
  } catch (error) {
    throw new ConfigError('PROMETHEUS_BEARER_TOKEN: expected a token on one line', { cause: error })
  }
}

function credentialsFromEnvironment(): { user: string; password: string } | undefined {
  const { PROMETHEUS_USERNAME: user, PROMETHEUS_PASSWORD: password = '' } = process.env
  return user === undefined || user === '' ? undefined : { user, password }
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

function toTimeout(value: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value)
  if (number >= 1 && number <= 3600) return number
  throw new InvalidArgumentError('Expected a number of seconds from 1 to 3600.')
}
