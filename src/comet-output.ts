import { comparisonsFor } from './comparisons-for.ts'
import type { Options } from './config/option-table.ts'
import type { Clock } from './core/clock.ts'
import type { Exporter } from './core/exporter.ts'
import { createCometExporter } from './exporters/comet/comet-exporter.ts'
import { processFailure } from './exit.ts'
import { httpRequest, httpRequestUnchecked, type Fetch } from './http/http-request.ts'
import type { OpeningExperiment } from './integrations/comet/comet-experiment.ts'
import { beginExperiment } from './integrations/comet/experiment.ts'
import { loadSettings } from './integrations/comet/load-settings.ts'
import { withLogFile } from './integrations/comet/log-file.ts'
import type { Log } from './log.ts'

/** What the output is put together from. */
export interface CometOutputParts {
  readonly log: Log
  readonly clock: Clock
  readonly fetch?: Fetch | undefined
}

/** The output `comet`: an experiment of Comet for one run, begun in the background. Settings are those of `COMET_*` and `.comet.config`. */
export function createCometOutput(
  { projectName, offline }: Pick<Options, 'projectName' | 'offline'>,
  { log: runLog, clock, fetch }: CometOutputParts,
): Exporter {
  const { settings: found, warnings } = loadSettings({}, { defaults: { projectName } })
  // A run that makes no connection makes none for Comet, whatever that is told.
  const settings = offline ? { ...found, offline } : found
  const { logFile, logFileLevel, checksCertificate } = settings
  const log = logFile === undefined ? runLog : withLogFile(runLog, logFile, logFileLevel)
  for (const warning of warnings) log('warning', `Comet: ${warning}`)
  const experiment = beginExperiment({
    settings,
    log,
    fetch: fetch ?? (checksCertificate ? httpRequest : httpRequestUnchecked),
    clock,
    isQuiet: true,
  })
  return createCometExporter({
    experiment,
    clock,
    comparisons: (data) => comparisonsFor(data).map(({ text }) => text),
    isOwner: true,
    problem: () => experiment.problem,
    failure: processFailure,
    place: () => placeOf(experiment),
  })
}

const placeOf = ({ url, archive }: OpeningExperiment): string | undefined =>
  archive === undefined ? url : `${archive}; to send it: codecarbon comet upload ${archive}`
