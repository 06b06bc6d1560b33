import { join } from 'node:path'
import type { Options } from './config/option-table.ts'
import type { Clock } from './core/clock.ts'
import type { Exporter } from './core/exporter.ts'
import { createApiExporter, type OpenCourier } from './exporters/api/api-exporter.ts'
import { openSpool, type Spool } from './exporters/api/spool.ts'
import { stateDirectory } from './files/state-directory.ts'
import type { Fetch } from './http/http-request.ts'
import { Secret } from './http/secret.ts'
import type { Log } from './log.ts'

/** What the output is put together from. */
export interface ApiOutputParts {
  readonly log: Log
  readonly clock: Clock
  readonly fetch?: Fetch | undefined
  /** Time that outputs have at the end of the run, in milliseconds. */
  readonly endMs?: number | undefined
}

/** A key that does not fit does not fit the hundreds of runs that may wait. */
const mostStuck = 3
/** So that there is time to say what waits. */
const reserveMs = 300

/** The output `api`. What keeps is there from the first moment, since a program may end before anything more can be loaded; what sends is loaded later. */
export function createApiOutput(options: Options, { log, clock, fetch, endMs }: ApiOutputParts): Exporter {
  const endpoint = plainEndpoint(options.apiEndpoint)
  const spool = openApiSpool(log, clock)
  const apiKey = options.apiKey === undefined ? undefined : new Secret(options.apiKey)
  const openCourier: OpenCourier = async (hooks) => {
    const { connect } = await import('./exporters/api/connect.ts')
    return connect({ ...hooks, endpoint, apiKey, spool, clock, fetch, mostStuck })
  }
  const whyNot = options.offline
    ? 'offline makes no connection'
    : apiKey === undefined
      ? 'api_key is not given'
      : undefined
  return createApiExporter({
    endpoint,
    experimentId: options.experimentId,
    ...{ spool, clock, log },
    openCourier: whyNot === undefined ? openCourier : undefined,
    ...(whyNot === undefined ? {} : { whyNot }),
    ...(endMs === undefined ? {} : { endMs: Math.max(0, endMs - reserveMs) }),
  })
}

/** Where runs wait for the API, for all programs of this user. */
export const openApiSpool = (log: Log, clock: Clock): Spool =>
  openSpool({
    folder: join(stateDirectory(), 'api'),
    nowMs: () => clock.now().wallMs,
    onGivenUp: (message) => {
      log('warning', message)
    },
  })

/** An address without anything that is not part of it, and without a slash at its end. */
export function plainEndpoint(text: string): string {
  const { origin, pathname } = new URL(text.trim())
  return `${origin}${pathname.replace(/\/+$/, '')}`
}
