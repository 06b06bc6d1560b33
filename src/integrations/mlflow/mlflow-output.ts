import { readFileSync } from 'node:fs'
import { comparisonsFor } from '../../comparisons-for.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { EnergyError, messageOf } from '../../core/errors.ts'
import type { Exporter } from '../../core/exporter.ts'
import { processFailure } from '../../exit.ts'
import { createMlflowExporter } from '../../exporters/mlflow/mlflow-exporter.ts'
import { createHttpRequest, httpRequest, httpRequestUnchecked, type Fetch } from '../../http/http-request.ts'
import type { Log } from '../../log.ts'
import { toKey } from './batches.ts'
import { loadSettings, type MlflowSettings } from './load-settings.ts'
import { createMlflowApi } from './mlflow-api.ts'
import type { MlflowOptions } from './mlflow-options.ts'
import { createMlflowRun } from './mlflow-run.ts'

/** What the output is put together from. */
export interface MlflowOutputParts {
  readonly log: Log
  readonly clock?: Clock | undefined
  /** How the server is asked. @default as the settings say */
  readonly fetch?: Fetch | undefined
  /** From 0 to 1. */
  readonly random?: (() => number) | undefined
}

/**
 * The output `mlflow` with options from code and settings from `MLFLOW_*`. Where it cannot be used it says so when it is opened, and the program goes on.
 *
 * @throws ConfigError for a wrong option in code
 */
export function createMlflowOutput(options: MlflowOptions, parts: MlflowOutputParts): Exporter {
  const { settings, warnings } = loadSettings(options)
  for (const warning of warnings) parts.log('warning', `MLflow: ${warning}`)
  try {
    return usable(settings, parts)
  } catch (error) {
    if (!(error instanceof EnergyError)) throw error
    return {
      name: 'mlflow',
      open() {
        throw error
      },
      export: () => undefined,
    }
  }
}

function usable(
  settings: MlflowSettings,
  { log, clock = systemClock, fetch, random = Math.random }: MlflowOutputParts,
): Exporter {
  const { url, authorization, addressProblem } = settings
  if (url === undefined) throw new EnergyError('ERR_EXPORT_FAILED', addressProblem)
  const run = createMlflowRun({
    api: createMlflowApi({ url, authorization, fetch: fetch ?? fetchFor(settings), clock }),
    settings,
    clock,
    random,
    onNotice: (message) => {
      log('warning', `MLflow: ${message}`)
    },
  })
  return createMlflowExporter({
    run,
    toKey,
    clock,
    comparisons: (data) => comparisonsFor(data).map(({ text }) => text),
    hasFailed: () => processFailure() !== undefined,
  })
}

function fetchFor({ checksCertificate, serverCertPath, clientCertPath }: MlflowSettings): Fetch {
  if (serverCertPath === undefined && clientCertPath === undefined)
    return checksCertificate ? httpRequest : httpRequestUnchecked
  const server =
    serverCertPath === undefined ? undefined : readPem('MLFLOW_TRACKING_SERVER_CERT_PATH', serverCertPath)
  const client =
    clientCertPath === undefined ? undefined : readPem('MLFLOW_TRACKING_CLIENT_CERT_PATH', clientCertPath)
  return createHttpRequest({
    rejectUnauthorized: checksCertificate,
    ...(server === undefined ? {} : { ca: server }),
    ...(client === undefined ? {} : { cert: client, key: client }),
  })
}

/** Throws EnergyError ERR_EXPORT_FAILED where there is none. */
function readPem(variable: string, path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new EnergyError('ERR_EXPORT_FAILED', `${variable} cannot be read: ${messageOf(cause)}`, { cause })
  }
  if (!text.includes('-----BEGIN '))
    throw new EnergyError('ERR_EXPORT_FAILED', `${variable}: ${path} holds no certificate (PEM)`)
  return text
}
