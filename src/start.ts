import type { Options } from './config/option-table.ts'
import type { ResolvedOptions } from './config/resolve-options.ts'
import type { Clock } from './core/clock.ts'
import type { RunFacts } from './core/to-emissions-data.ts'
import type { Exporter } from './core/exporter.ts'
import type { LoadSource, TreeSource } from './core/load.ts'
import { createMeter, type Meter } from './core/meter.ts'
import type { Problem } from './core/problem.ts'
import { seconds, toGibibytes } from './core/units.ts'
import { countedComponents } from './core/usage.ts'
import { createCsvExporter, type CsvExporter } from './exporters/csv/csv-exporter.ts'
import type { OtlpExporterOptions } from './exporters/otel/otlp-exporter.ts'
import { createSummaryExporter } from './exporters/summary-file.ts'
import { createHostReporter } from './host/host-reporter.ts'
import type { Fetch } from './http/http-request.ts'
import { lazyExporter } from './lazy-exporter.ts'
import type { Log } from './log.ts'
import { createOutputs } from './outputs.ts'
import { outsideClock } from './outside-clock.ts'
import { createProcessTree } from './probes/linux/process-tree.ts'
import { createSelfProcess } from './probes/os-load.ts'
import { Run } from './run.ts'
import { createRunGrid, type RunGrid } from './run-grid.ts'
import { createThreadTimes } from './scopes/thread-time.ts'
import { claimMachine } from './single-run.ts'
import { surveyMachine, type Survey } from './survey.ts'
import { packageVersion } from './version.ts'

/** What a program hands in besides options. */
export interface StartExtras {
  readonly log: Log
  /** Exporters of the user's own, after the built-in ones. */
  readonly exporters?: readonly Exporter[]
  /** Where options come from, to name them as their user does. */
  readonly origins?: ResolvedOptions['origins']
  /** How services are asked; for tests. */
  readonly fetch?: Fetch
  /** Another process tree to follow than that of this process. */
  readonly tree?: TreeSource
  readonly clock?: Clock
  /** Time that outputs have at the end of the run, in milliseconds. @default 5000 */
  readonly endMs?: number
}

/** A run that has begun, and what is worth telling about it. */
export interface Started {
  readonly run: Run
  readonly survey: Survey
  /** Where the rows of the run go; `undefined` where none are written. */
  readonly csvPath: () => string | undefined
}

/**
 * The composition root: looks at the machine, opens probes, meter and exporters, and begins a run.
 * @throws EnergyError ERR_RUN_REFUSED where another run goes on and only one may
 */
export function startRun(options: Options, extras: StartExtras): Started {
  const giveWay = options.allowMultipleRuns ? undefined : claimMachine(extras.log)
  try {
    return beginRun(options, extras, giveWay)
  } catch (error) {
    giveWay?.()
    throw error
  }
}

function beginRun(options: Options, extras: StartExtras, onEnd: (() => void) | undefined): Started {
  const { log } = extras
  const clock = extras.clock ?? outsideClock
  const survey = surveyMachine(options, extras.origins, undefined, clock)
  const { detection, machine, gpus } = survey

  const csv = options.outputMethods.includes('csv')
    ? createCsvExporter({
        ...options,
        onFallback: (message) => {
          log('warning', message)
        },
      })
    : undefined
  const csvPath = (): string | undefined => csv?.path
  const summary =
    options.summaryFile === undefined
      ? undefined
      : createSummaryExporter({ path: options.summaryFile, csvPath })
  const exporters = [
    csv,
    summary,
    prometheusPull(options, log),
    ...otlp(options, log),
    ...createOutputs(withoutOwn(options, extras), {
      log,
      clock,
      csvPath,
      fetch: extras.fetch,
      endMs: extras.endMs,
    }),
    ...(extras.exporters ?? []),
  ].filter((exporter) => exporter !== undefined)
  const tree = extras.tree ?? (options.trackingMode === 'process' ? ownTree(options) : undefined)

  // Problems may come before there is a meter to stand beside.
  const early: Problem[] = [...survey.problems]
  let reportTo: Meter | undefined
  const onProblem = (problem: Problem): void => {
    if (reportTo === undefined) early.push(problem)
    else reportTo.report(problem)
  }
  const grid = createRunGrid({ options, survey, clock, log, onProblem, fetch: extras.fetch })

  const run = new Run({
    facts: toFacts(options, survey, grid),
    exporters,
    log,
    apiCallInterval: options.apiCallInterval,
    interval: seconds(options.measurePowerSecs),
    now: () => clock.now().monotonic,
    functionalUnits: options.functionalUnits,
    threadTimes: options.attribution === 'precise' ? createThreadTimes : undefined,
    joinHost: (hooks) =>
      createHostReporter({
        ...hooks,
        mode: options.hostReporter,
        group: options.hostReporterGroup,
        clock,
        onNotice: (message) => {
          log('info', message)
        },
      }),
    intensity: (since) => grid.record(since),
    onEnd: () => {
      grid.close()
      onEnd?.()
    },
    openMeter: (hooks) => {
      const meter = createMeter({
        ...hooks,
        probes: detection.probes,
        clock,
        interval: seconds(options.measurePowerSecs),
        gramsPerKwh: () => grid.gramsPerKwh(),
        load: withGpus(survey),
        tree,
        gpuUse: () => gpus.processUse(),
        logicalCpus: machine.cpu.logicalCpus,
        memoryBytes: ramIsEstimated(survey) ? survey.memoryLimitBytes : undefined,
      })
      reportTo = meter
      for (const problem of early) meter.report(problem)
      if (options.trackingMode === 'process' && meter.first.tree === undefined) {
        meter.report(unknownTree(options))
      }
      return meter
    },
  })
  prepareForEnd(survey, csv)
  return { run, survey, csvPath }
}

/** A run whose program logs it to an experiment of its own needs no second one. */
function withoutOwn(options: Options, { exporters = [] }: StartExtras): Options {
  const own = new Set(exporters.map(({ name }) => name).filter((name) => ['comet', 'mlflow'].includes(name)))
  return own.size === 0
    ? options
    : { ...options, outputMethods: options.outputMethods.filter((method) => !own.has(method)) }
}

function prometheusPull(options: Options, log: Log): Exporter | undefined {
  const { prometheusPort, prometheusHost: host, webConfigFile, outputMethods } = options
  if (prometheusPort === undefined && !outputMethods.includes('prometheus_pull')) return undefined
  return lazyExporter(
    'prometheus_pull',
    async () => {
      const { createPrometheusPull, defaultPort } = await import('./exporters/prometheus/prometheus-pull.ts')
      return createPrometheusPull({
        port: prometheusPort ?? defaultPort,
        host,
        webConfigFile,
        hasCompatNames: options.prometheusCompatNames,
        scopeLabels: options.scopeLabels,
        onListen: (url) => {
          log('info', `metrics for Prometheus at ${url}`)
        },
      })
    },
    { isShared: true },
  )
}

function otlp({ outputMethods, offline, projectName, scopeLabels }: Options, log: Log): Exporter[] {
  const options: OtlpExporterOptions = {
    projectName,
    scopeLabels,
    warn: (message) => {
      log('warning', message)
    },
  }
  const loads = {
    otlp: async () => (await import('./exporters/otel/otlp-exporter.ts')).createOtlpExporter(options),
    logfire: async () => (await import('./exporters/otel/logfire.ts')).createLogfireExporter(options),
  }
  // Who is not to send anything is no output, and does not tell of the machine in the place of others.
  const isDisabled = process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true'
  const names = (['otlp', 'logfire'] as const).filter((name) => outputMethods.includes(name))
  if (isDisabled) {
    for (const name of names) log('debug', `output ${name}: OTEL_SDK_DISABLED turns it off`)
    return []
  }
  if (!offline)
    return names.map((name) => lazyExporter(name, loads[name], { isShared: true, isRemote: true }))
  for (const name of names) log('warning', `output ${name}: offline makes no connection, so nothing is sent`)
  return []
}

/** A counter tells of all the memory there is, an estimate of what a container may use. */
const ramIsEstimated = ({ detection }: Survey): boolean =>
  detection.components.some(({ component, chosen }) => component === 'ram' && chosen?.method === 'estimated')

function unknownTree({ procfsPath }: Options): Problem {
  const message = `tracking_mode process: what this process and its children use cannot be read from ${procfsPath}, so their energy is unmeasured; mount procfs there or name its place with procfs_path`
  return { code: 'ERR_UNMEASURED', subject: 'process tree', message }
}

const ownTree = (options: Options): TreeSource =>
  process.platform === 'linux' ? createProcessTree({ procfsPath: options.procfsPath }) : createSelfProcess()

/** The load of the machine, and that of its graphics processors. */
function withGpus({ load, gpus }: Survey): LoadSource {
  return {
    read(at) {
      const gpuUtilisation = gpus.utilisation()
      return { ...load?.read(at), ...(gpuUtilisation === undefined ? {} : { gpuUtilisation }) }
    },
    close: () => load?.close?.(),
  }
}

function sourcesOf({ detection, gpus }: Survey): RunFacts['sources'] {
  return countedComponents.flatMap((component) => {
    const found = detection.components.find((entry) => entry.component === component)
    if (component === 'gpu' && (found === undefined || gpus.count() === 0)) return []
    if (found?.chosen === undefined) return [unmeasured(component)]
    const { probe, method, basis, includedIn } = found.chosen
    if (includedIn !== undefined) return []
    return [{ component, probe, method, basis: () => tryTo(basis) }]
  })
}

function toFacts(options: Options, survey: Survey, grid: RunGrid): RunFacts {
  const { machine, gpus } = survey
  const version = packageVersion()
  let runId: string | undefined
  return {
    projectName: options.projectName,
    // Made when it is first asked for: the first random number of a process takes 4 ms.
    get runId() {
      return (runId ??= crypto.randomUUID())
    },
    experimentId: options.experimentId,
    os: machine.os,
    runtimeVersion: `node ${process.version}`,
    packageVersion: version,
    cpuCount: machine.cpu.logicalCpus,
    cpuModel: machine.cpu.modelName,
    // Their libraries are opened in the background.
    get gpuCount() {
      return gpus.count()
    },
    get gpuModel() {
      return gpus.model()
    },
    ramTotalGibibytes: machine.memoryBytes === undefined ? undefined : toGibibytes(machine.memoryBytes),
    trackingMode: options.trackingMode,
    pue: options.pue,
    wue: options.wue,
    // It may be found while the run goes on.
    get place() {
      return grid.place()
    },
    get embodied() {
      return tryTo(survey.embodied)
    },
    marketGramsPerKwh: options.marketCarbonIntensityGCo2eKwh,
    functionalUnit: options.functionalUnit,
    get sources() {
      return sourcesOf(survey)
    },
    get missingHost() {
      const refusal = survey.host?.isNamed === true ? survey.host.refused().at(-1) : undefined
      return refusal === undefined ? undefined : { source: refusal.probe, reason: refusal.reason }
    },
  }
}

/**
 * Loads what the end of the run needs while files can still be opened: a program may use up its descriptors, or have its folder replaced.
 * A little later, when the program has come to its own business.
 */
function prepareForEnd(survey: Survey, csv: CsvExporter | undefined): void {
  const timer = setTimeout(() => {
    tryTo(() => csv?.prepare())
    tryTo(survey.embodied)
    for (const { chosen } of survey.detection.components) tryTo(() => chosen?.basis())
  }, prepareMs)
  timer.unref()
}

const prepareMs = 250

function tryTo<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    // Whoever needs it will be told then.
    return undefined
  }
}

const unmeasured = (component: 'cpu' | 'ram' | 'gpu'): RunFacts['sources'][number] => ({
  component,
  probe: undefined,
  basis: undefined,
})
