import type { IncomingMessage, ServerResponse } from 'node:http'
import type * as promClient from 'prom-client'
import type { OpenMetricsContentType, Registry } from 'prom-client'
import type { Exporter, RunView } from '../../core/exporter.ts'
import { createTaskPoints } from '../task-points.ts'
import { acceptsGzip, formatFor, type Format } from './accept.ts'
import { loadActiveTrace, type ActiveTrace } from './active-trace.ts'
import { createSeries, type Series } from './series.ts'

/** What a scrape is answered with. */
export interface Metrics {
  readonly contentType: string
  readonly body: string
}

/** An exporter that is asked: by Prometheus over HTTP, or by a registry of the program's own. */
export interface PrometheusExporter extends Exporter {
  /** The metrics of now. Text format 0.0.4 unless OpenMetrics is asked for. */
  metrics(format?: Format): Promise<Metrics>
  /**
   * Answers a request for the metrics: for `app.get('/metrics', …)` of Express, for `node:http`, and whatever has its requests and answers.
   * Negotiates format and compression.
   */
  readonly handler: (
    request: Pick<IncomingMessage, 'headers'> & { readonly method?: string | undefined },
    response: ServerResponse,
  ) => void
  /** Puts the metrics into a registry of the program's own, of either format. */
  collectInto(registry: Registry): Promise<void>
}

/**
 * Metrics for Prometheus, from the table that OpenTelemetry is given too. Hand it to a tracker as one of its `exporters`. A scrape costs nothing but
 * writing: it looks at the last measurement, at most a second old.
 *
 * @example
 * const prometheus = createPrometheusExporter()
 * const tracker = new EmissionsTracker({ exporters: [prometheus] }).start()
 * app.get('/metrics', prometheus.handler)
 */
export function createPrometheusExporter(): PrometheusExporter {
  let look: (() => RunView) | undefined
  let activeTrace: ActiveTrace = () => undefined
  let registries: Promise<Readonly<Record<Format, OwnRegistry>>> | undefined
  const foreign: Series[] = []
  const toPoint = createTaskPoints()
  const earlier: ReturnType<typeof toPoint>[] = []
  let all: Series[] | undefined

  const load = (): NonNullable<typeof registries> =>
    (registries ??= loadRegistries().then((loaded) => {
      all = [loaded.text.series, loaded.openmetrics.series]
      for (const point of earlier.splice(0)) for (const series of all) series.add(point)
      return loaded
    }))

  async function metrics(format: Format = 'text'): Promise<Metrics> {
    const { registry, series } = (await load())[format]
    const now = look?.()
    if (now !== undefined) series.show(now)
    return { contentType: registry.contentType, body: await registry.metrics() }
  }

  return {
    name: 'prometheus_pull',
    async open(lookAt) {
      look = lookAt
      await load()
      activeTrace = await loadActiveTrace()
    },
    onTask(task) {
      const point = toPoint(task, activeTrace())
      for (const series of foreign) series.add(point)
      if (all === undefined) earlier.push(point)
      else for (const series of all) series.add(point)
    },
    // It is asked, and the end changes nothing: what was counted stays to be asked for.
    export: () => undefined,
    metrics,
    handler(request, response) {
      const format = formatFor(request.headers.accept)
      const isZipped = acceptsGzip(request.headers['accept-encoding'])
      metrics(format)
        .then((answer) => send(answer, { isZipped, isHead: request.method === 'HEAD' }, response))
        .catch((error: unknown) => {
          fail(error, response)
        })
    },
    async collectInto(registry) {
      const prom = await import('prom-client')
      const series: Series = createSeries(prom, registry, () => {
        const now = look?.()
        if (now !== undefined) series.show(now)
      })
      foreign.push(series)
    },
  }
}

interface OwnRegistry {
  readonly registry: Registry
  readonly series: Series
}

async function loadRegistries(): Promise<Readonly<Record<Format, OwnRegistry>>> {
  const prom = await import('prom-client')
  const create = (registry: Registry): OwnRegistry => ({ registry, series: createSeries(prom, registry) })
  return {
    text: create(new prom.Registry()),
    openmetrics: create(openMetricsRegistry(prom)),
  }
}

function openMetricsRegistry(prom: typeof promClient): Registry {
  const registry = new prom.Registry<OpenMetricsContentType>()
  registry.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE)
  return registry as unknown as Registry
}

interface Sending {
  readonly isZipped: boolean
  readonly isHead: boolean
}

async function send(
  { contentType, body }: Metrics,
  { isZipped, isHead }: Sending,
  response: ServerResponse,
): Promise<void> {
  const bytes = isZipped ? await zip(body) : Buffer.from(body)
  response.writeHead(200, {
    'content-type': contentType,
    'content-length': bytes.length,
    vary: 'accept, accept-encoding',
    'cache-control': 'no-store',
    ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
  })
  response.end(isHead ? undefined : bytes)
}

async function zip(text: string): Promise<Buffer> {
  const { gzip } = await import('node:zlib')
  return new Promise((resolve, reject) => {
    gzip(text, { level: 1 }, (error, bytes) => {
      if (error === null) resolve(bytes)
      else reject(error)
    })
  })
}

/** Nothing is better than half of the metrics: the scraper notes that it failed. */
function fail(error: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(
    `the metrics could not be collected: ${error instanceof Error ? error.message : String(error)}\n`,
  )
}
