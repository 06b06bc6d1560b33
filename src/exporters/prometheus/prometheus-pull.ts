import type { Exporter, RunView } from '../../core/exporter.ts'
import { createPrometheusExporter } from './prometheus-exporter.ts'
import { startServer, type Route, type RunningServer } from './server.ts'

/** Where the endpoint listens. */
export interface PrometheusPullOptions {
  readonly port: number
  readonly host: string
  readonly webConfigFile?: string | undefined
  /** Whether metrics have the names of CodeCarbon for Python, too. @default false */
  readonly hasCompatNames?: boolean
  /** Labels of scopes that become labels of metrics. @default [] */
  readonly scopeLabels?: readonly string[] | undefined
  /** Told where it listens. */
  readonly onListen: (url: string) => void
}

/** The port that is listened on where none is given. */
export const defaultPort = 12_044

/**
 * The endpoint that Prometheus scrapes: `/metrics`, `/healthz` and a page that names them. It listens while the run lasts and keeps no process
 * alive. Where it cannot listen, the run goes on without it and says so; so it does of floods, and of a web configuration that became wrong.
 */
export function createPrometheusPull(options: PrometheusPullOptions): Exporter {
  const { onListen, hasCompatNames = false, scopeLabels, ...where } = options
  const exporter = createPrometheusExporter({ hasCompatNames, scopeLabels })
  let server: Promise<RunningServer> | undefined
  async function begin(look: () => RunView, fail: (message: string) => void): Promise<RunningServer> {
    await exporter.open?.(look, fail)
    const routes = {
      '/': page('text/html; charset=utf-8', landingPage),
      '/metrics': exporter.handler,
      '/healthz': page('text/plain; charset=utf-8', 'ok\n'),
    }
    try {
      return await startServer({ ...where, routes, onError: fail })
    } catch (error) {
      throw inWords(error, where)
    }
  }

  return {
    ...exporter,
    async open(look, fail = () => undefined) {
      server = begin(look, fail)
      onListen(`${(await server).url}metrics`)
    },
    async close() {
      // Why it could not be opened was told then.
      const open = await server?.catch(() => undefined)
      await open?.close()
    },
  }
}

const page =
  (contentType: string, text: string): Route =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': contentType })
    response.end(text)
  }

const landingPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>CodeCarbon</title></head>
<body><h1>CodeCarbon</h1><p>Energy and emissions of this machine.</p>
<ul><li><a href="/metrics">Metrics</a> for Prometheus</li><li><a href="/healthz">Health</a></li></ul></body></html>
`

function inWords(error: unknown, { port, host }: { readonly port: number; readonly host: string }): unknown {
  const code = (error as NodeJS.ErrnoException).code
  const where = `${host}:${port}`
  if (code === 'EADDRINUSE') {
    return new Error(
      `${where} is taken by another program or worker: give another prometheus_port, or 0 for any`,
      { cause: error },
    )
  }
  if (code === 'EACCES')
    return new Error(`${where} may not be listened on: give a prometheus_port above 1023`, { cause: error })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Error(`${host} is no address of this machine: give another prometheus_host`, { cause: error })
  }
  return error
}
