/// <reference lib="esnext.disposable" preserve="true" />
import { comparisonsFor } from '../../comparisons-for.ts'
import { systemClock } from '../../core/clock.ts'
import { messageOf } from '../../core/errors.ts'
import type { Exporter } from '../../core/exporter.ts'
import { forget, processFailure, saveBeforeEnd, type Unsaved } from '../../exit.ts'
import { createCometExporter as createExporter } from '../../exporters/comet/comet-exporter.ts'
import { httpRequest, httpRequestUnchecked } from '../../http/http-request.ts'
import { createLog, type Log } from '../../log.ts'
import { EmissionsTracker, type TrackerOptions } from '../../tracker.ts'
import type { CometOptions } from './comet-options.ts'
import type { CometExperiment } from './comet-experiment.ts'
import { beginExperiment } from './experiment.ts'
import { holdProcess } from './hold-process.ts'
import { loadSettings, type CometSettings } from './load-settings.ts'
import { withLogFile } from './log-file.ts'

export type { CometMode, CometOptions, CometTimeouts } from './comet-options.ts'
export type { AssetOptions, CometExperiment, MetricOptions } from './comet-experiment.ts'
export type { CometPoint, SystemDetails } from './message.ts'

/** An experiment, and the tracker of its energy and emissions. */
export interface StartedExperiment extends CometExperiment {
  /** Runs from the start of the experiment to its end; `undefined` where `autoLogCo2` is off. `task()` makes a part of it that is told by itself. */
  readonly tracker: EmissionsTracker | undefined
}

/** Options of {@link startExperiment}. */
export interface StartOptions extends CometOptions {
  /** Of the tracker: place, outputs and all the others. Its project is that of the experiment where it names none. */
  readonly tracker?: TrackerOptions | undefined
}

/**
 * Begins an experiment of Comet, with a tracker of its energy and emissions beside it.
 *
 * Whatever is wrong with key, workspace, network or server, the program goes on: the experiment that comes back is then written to an
 * archive that can be uploaded later (`state` is `offline`), or drops what it is given (`disabled`, where nobody gave an API key), and one
 * warning says what to do. A program that ends without `end()` ends the experiment itself, or leaves an archive where it cannot wait.
 *
 * @throws ConfigError for a wrong option in code
 * @example
 * await using experiment = await startExperiment({ projectName: 'digits' })
 * experiment.logMetric('loss', 0.25, { step: 1 })
 */
export async function startExperiment({
  tracker: trackerOptions = {},
  ...options
}: StartOptions = {}): Promise<StartedExperiment> {
  const { settings, warnings } = loadSettings(options)
  const log = logFor(options, settings)
  for (const warning of warnings) log('warning', `Comet: ${warning}`)
  const release = holdProcess()
  try {
    const noteFailure = (): void => {
      const failure = processFailure()
      if (failure !== undefined) experiment.fail(failure)
    }
    const unsaved: Unsaved = {
      isLast: true,
      saveAtExit: () => {
        noteFailure()
        experiment.endSync()
      },
      saveAtSignal: () => undefined,
      sendBeforeEnd: async () => {
        noteFailure()
        await experiment.end()
        return true
      },
    }
    const experiment = beginExperiment({
      settings,
      log,
      fetch: fetchFor(settings),
      clock: systemClock,
      onEnded: () => {
        forget(unsaved)
      },
    })
    if (settings.autoLogCo2 && experiment.state !== 'disabled') {
      experiment.tracker = startTracker(
        experiment,
        settings,
        { logger: options.logger, ...trackerOptions },
        log,
      )
    }
    saveBeforeEnd(unsaved)
    await experiment.opened
    return experiment as StartedExperiment
  } finally {
    release()
  }
}

/**
 * An exporter for a tracker of your own that logs to an experiment: `emissions.csv` as one asset, metrics, parameters, others and a page.
 * The experiment goes on when the tracker stops. Where it ends first, it has the figures up to then, and the tracker goes on.
 */
export function createCometExporter(experiment: CometExperiment): Exporter {
  return createExporter({
    experiment,
    clock: systemClock,
    comparisons: (data) => comparisonsFor(data).map(({ text }) => text),
  })
}

function startTracker(
  experiment: CometExperiment,
  { projectName }: CometSettings,
  options: TrackerOptions,
  log: Log,
): EmissionsTracker | undefined {
  try {
    const exporters = [...(options.exporters ?? []), createCometExporter(experiment)]
    return new EmissionsTracker({ projectName, ...options, exporters }).start()
  } catch (error) {
    log('error', `Comet: the experiment has no tracker: ${messageOf(error)}`)
    return undefined
  }
}

function logFor({ logger }: CometOptions, { logFile, logFileLevel }: CometSettings): Log {
  const log = createLog({ level: 'info', logger })
  return logFile === undefined ? log : withLogFile(log, logFile, logFileLevel)
}

const fetchFor = ({ checksCertificate }: CometSettings): typeof httpRequest =>
  checksCertificate ? httpRequest : httpRequestUnchecked
