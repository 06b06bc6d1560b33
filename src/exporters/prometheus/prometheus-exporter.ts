import type { IncomingMessage, ServerResponse } from 'node:http'
import type * as promClient from 'prom-client'
import type { OpenMetricsContentType, Registry } from 'prom-client'
import { activeTrace, setActiveTrace } from '../../core/active-trace.ts'
import { messageOf } from '../../core/errors.ts'
import type { Exporter, RunView } from '../../core/exporter.ts'
import { seconds } from '../../core/units.ts'
import type { CompatFigures } from '../compat-metrics.ts'
import { scrapePoint, tickPoint } from '../duration-points.ts'
import { doEach } from '../do-each.ts'
import { endedScope, endedTask, type EndedTask } from '../ended-task.ts'
import { TaskHistograms } from '../task-histograms.ts'
import type { TaskPoint } from '../task-points.ts'
import { acceptsGzip, formatFor, type Format } from './accept.ts'
import { loadActiveTrace } from './active-trace.ts'
import { createCompatSeries } from './compat-series.ts'
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

/** Options of {@link createPrometheusExporter}. */
export interface PrometheusExporterOptions {
  /**
   * Whether metrics have the names of CodeCarbon for Python, too, as `prometheus_compat_names` says.
   * @default false
   */
  readonly hasCompatNames?: boolean
  /**
   * Labels of scopes that become labels of metrics, beside `queue`, as `scope_labels` says.
   * @default []
   */
  readonly scopeLabels?: readonly string[] | undefined
}

/** The text of one moment. */
interface Written {
  readonly of: RunView | undefined
  readonly reported: CompatFigures | undefined
  readonly text: Promise<Metrics>
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
export function createPrometheusExporter(options: PrometheusExporterOptions = {}): PrometheusExporter {
  const { hasCompatNames = false, scopeLabels } = options
  let look: (() => RunView) | undefined
  let fail: (message: string) => void = () => undefined
  let registries: Promise<Readonly<Record<Format, OwnRegistry>>> | undefined
  const foreign: Series[] = []
  const tasks = new TaskHistograms(scopeLabels)
  /** What ended since the last look: shown with the next one, since their energy is as telling as that of the counters. */
  const held: Held[] = []
  let own: readonly Series[] = []
  let seen: RunView | undefined
  /** The last report, which metrics under the names of CodeCarbon for Python are of. */
  let reported: CompatFigures | undefined
  /** However many look within a second, what they are shown is written once. */
  const written = new Map<Format, Written>()

  /** The run as it is to be shown; brings the histograms up to the same moment. */
  function view(): RunView | undefined {
    const now = look?.()
    if (now !== seen) release()
    seen = now
    return now
  }
  function release(): void {
    const all = [...own, ...foreign]
    try {
      doEach(held.splice(0), (one) => {
        if ('observations' in one) for (const series of all) series.add(one)
        else tasks.add(one)
      })
    } catch (error) {
      fail(`a task or scope is missing in the metrics: ${messageOf(error)}`)
    }
  }

  function hold(one: Held): void {
    held.push(one)
    // Where nobody looks they must not gather; what is added up now is shown no sooner.
    if (held.length >= mostHeld && own.length > 0) release()
  }

  const load = (): NonNullable<typeof registries> =>
    (registries ??= loadRegistries(hasCompatNames, tasks).then((loaded) => {
      own = [loaded.text.series, loaded.openmetrics.series]
      return loaded
    }))

  async function metrics(format: Format = 'text'): Promise<Metrics> {
    const begun = performance.now()
    const { registry, series, showCompat } = (await load())[format]
    const now = view()
    const known = written.get(format)
    if (now !== undefined && known?.of === now && known.reported === reported) return known.text
    if (now !== undefined) series.show(now)
    if (reported !== undefined) showCompat?.(reported)
    const text = registry.metrics().then((body) => {
      const took = scrapePoint(seconds((performance.now() - begun) / 1000))
      for (const each of own) each.add(took)
      return { contentType: registry.contentType, body }
    })
    written.set(format, { of: now, reported, text })
    return text
  }

  return {
    name: 'prometheus_pull',
    isShared: true,
    async open(lookAt, failAt) {
      look = lookAt
      if (failAt !== undefined) fail = failAt
      await load()
      setActiveTrace(await loadActiveTrace())
    },
    onTask(task) {
      hold(endedTask(task, activeTrace()))
    },
    onScopes(ended) {
      doEach(ended, (record) => {
        hold(endedScope(record))
      })
    },
    onTick(took) {
      hold(tickPoint(took))
    },
    // It is asked, and the end changes nothing: what was counted stays to be asked for.
    export(report) {
      reported = report
    },
    metrics,
    handler(request, response) {
      const format = formatFor(request.headers.accept)
      const isZipped = acceptsGzip(request.headers['accept-encoding'])
      metrics(format)
        .then((answer) => send(answer, { isZipped, isHead: request.method === 'HEAD' }, response))
        .catch((error: unknown) => {
          refuse(error, response)
        })
    },
    async collectInto(registry) {
      const prom = await import('prom-client')
      const onCollect = (): void => {
        const now = view()
        if (now !== undefined) series.show(now)
        if (reported !== undefined) showCompat?.(reported)
      }
      const series: Series = createSeries(prom, registry, { tasks, onCollect })
      // Behind the one that brings all of them up to date.
      const showCompat = hasCompatNames ? createCompatSeries(prom, registry) : undefined
      foreign.push(series)
    },
  }
}

/** A measurement or a scrape, or a task that has ended. */
type Held = TaskPoint | EndedTask

/** Ended tasks that wait to be shown. */
const mostHeld = 10_000

interface OwnRegistry {
  readonly registry: Registry
  readonly series: Series
  readonly showCompat: ((figures: CompatFigures) => void) | undefined
}

async function loadRegistries(
  hasCompatNames: boolean,
  tasks: TaskHistograms,
): Promise<Readonly<Record<Format, OwnRegistry>>> {
  const prom = await import('prom-client')
  const create = (registry: Registry): OwnRegistry => ({
    registry,
    series: createSeries(prom, registry, { tasks }),
    showCompat: hasCompatNames ? createCompatSeries(prom, registry) : undefined,
  })
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
function refuse(error: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(
    `the metrics could not be collected: ${error instanceof Error ? error.message : String(error)}\n`,
  )
}
