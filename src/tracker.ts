/// <reference lib="esnext.disposable" preserve="true" />
import { loadOptions } from './config/load-options.ts'
import { fromCode } from './config/option-source.ts'
import type { ResolvedOptions } from './config/resolve-options.ts'
import type { GivenOptions, Options } from './config/option-table.ts'
import type { EmissionsData, TaskEmissionsData } from './core/emissions-data.ts'
import { ConfigError, messageOf } from './core/errors.ts'
import type { Exporter } from './core/exporter.ts'
import type { Usage } from './core/usage.ts'
import { forget, saveBeforeEnd, type Unsaved } from './exit.ts'
import { createLog, type Log, type Logger } from './log.ts'
import { toExporter, type OutputHandler } from './output-handler.ts'
import { summaryLine } from './exporters/text/summary-line.ts'
import type { Run } from './run.ts'
import type { Counted } from './scopes/counted.ts'
import { scopeStorage } from './scopes/current-scope.ts'
import { isCount, wrongCount } from './scopes/functional-units.ts'
import { createRunScope, currentIn, NoScope } from './scopes/run-scope.ts'
import { TaskPlace } from './scopes/task-place.ts'
import type { ScopeOptions, WorkScope } from './scopes/work-scope.ts'
import { isThenable } from './thenable.ts'
import { startRun, type Started } from './start.ts'

/** Options of a tracker: those of the option table, and objects that only code can hand in. */
export interface TrackerOptions extends GivenOptions {
  /** Outputs of your own, with CodeCarbon's hooks. */
  readonly outputHandlers?: readonly OutputHandler[] | undefined
  /** Exporters of your own, with the whole report. */
  readonly exporters?: readonly Exporter[] | undefined
  /** Where messages go instead of stderr: `console`, pino, winston, or anything with debug, info, warn and error. */
  readonly logger?: Logger | undefined
}

/** Warnings of the configuration, which a program with a tracker for each call needs to hear once. */
const toldOnStderr = new Set<string>()

const objectOptions = ['outputHandlers', 'exporters', 'logger'] as const

/** A part of a run that is told by itself. */
export interface Task {
  readonly name: string
  /** Ends the task; its record, or `undefined` where the task or its run ended before. */
  stop(): TaskEmissionsData | undefined
  /** Begins a task inside this one. */
  startTask(name?: string): Task
  /** Counts functional units that were made in it, for the SCI; they count for all that it is part of, too. */
  countFunctionalUnits(count?: number): void
}

/** Hardware found, as CodeCarbon tells it. */
export interface DetectedHardware {
  /** GiB. */
  readonly ramTotalSize: number | undefined
  readonly cpuCount: number | undefined
  /** Sockets. */
  readonly cpuPhysicalCount: number | undefined
  readonly cpuModel: string | undefined
  readonly gpuCount: number | undefined
  readonly gpuModel: string | undefined
  readonly gpuIds: readonly string[] | undefined
}

/**
 * Measures energy and emissions between `start` and `stop`.
 *
 * Nothing is opened before `start`. After `stop` it may be started again: that is a new run with a `runId` of its own. A process that ends
 * without `stop` is saved as it ends, except by SIGKILL. Apart from the constructor nothing throws.
 *
 * Options come from defaults, `~/.codecarbon.config`, `./.codecarbon.config`, `CODECARBON_*` variables and the constructor, the later ones
 * over the earlier ones.
 *
 * @throws ConfigError from the constructor, for a wrong option
 * @example
 * const tracker = new EmissionsTracker({ projectName: 'train' }).start()
 * await train()
 * const kg = await tracker.stop()
 */
export class EmissionsTracker {
  readonly #options: Options
  readonly #origins: ResolvedOptions['origins']
  readonly #given: TrackerOptions
  readonly #log: Log
  #started: Started | undefined
  /** Scopes do not ask again, which may be many. */
  #cannotBegin = false
  #stopping: Promise<number | undefined> | undefined
  #final: EmissionsData | undefined
  #unsaved: Unsaved | undefined

  constructor(options: TrackerOptions = {}) {
    if (typeof options !== 'object' || options === null) {
      throw new ConfigError(`options: expected an object, got ${options === null ? 'null' : typeof options}`)
    }
    const { options: resolved, origins, warnings, files } = loadOptions(fromCode(options, objectOptions))
    const { outputHandlers, exporters, logger } = options
    checkList('outputHandlers', outputHandlers)
    checkList('exporters', exporters)
    checkLogger(logger)
    this.#options = resolved
    this.#origins = origins
    this.#given = options
    this.#log = createLog({ level: resolved.logLevel, preamble: resolved.loggerPreamble, logger })
    if (files.length > 0) this.#log('debug', `options are read from ${files.join(' and ')}`)
    for (const warning of warnings) {
      const goesToStderr = logger === undefined && ['debug', 'info', 'warning'].includes(resolved.logLevel)
      if (goesToStderr && toldOnStderr.has(warning)) continue
      if (goesToStderr) toldOnStderr.add(warning)
      this.#log('warning', warning)
    }
  }

  /** Id of the run, new with every start; `undefined` before the first. */
  get runId(): string | undefined {
    return this.#started?.run.facts.runId ?? this.#final?.runId
  }

  /** kg CO2eq of the last run that ended. */
  get finalEmissions(): number | undefined {
    return this.#final?.emissions
  }

  /** Whole record of the last run that ended. */
  get finalEmissionsData(): EmissionsData | undefined {
    return this.#final
  }

  /** Where the rows go; `undefined` when not running or when no CSV is written. */
  get csvPath(): string | undefined {
    return this.#started?.csvPath()
  }

  /** Begins to measure, at once and without waiting for anything. A tracker that runs already goes on. */
  start(): this {
    if (this.#started !== undefined && this.#stopping === undefined) {
      this.#log('warning', 'this tracker is running already; start() changes nothing')
      return this
    }
    try {
      this.#begin()
    } catch (error) {
      this.#cannotBegin = true
      this.#log('error', `nothing is tracked: ${messageOf(error)}`)
    }
    return this
  }

  /**
   * Ends the run and hands its figures to every output. Calling it again gives the same answer.
   * @returns kg CO2eq; `undefined` where the tracker never ran or nothing could be told
   */
  stop(): Promise<number | undefined> {
    if (this.#stopping !== undefined) return this.#stopping
    const started = this.#started
    if (started === undefined) {
      this.#log('warning', 'stop() without start(): nothing was tracked')
      return Promise.resolve(undefined)
    }
    this.#stopping = this.#finish(started)
    return this.#stopping
  }

  /** The same without giving way to the event loop; outputs that need it are given the figures and not waited for. */
  stopSync(): number | undefined {
    const started = this.#started
    if (started === undefined || this.#stopping !== undefined) return this.#final?.emissions
    this.#save(started, 'stop')
    return this.#final?.emissions
  }

  /**
   * Saves the figures so far and goes on.
   * @returns kg CO2eq so far
   */
  async flush(): Promise<number | undefined> {
    const run = this.#running('flush()')
    if (run === undefined) return this.#final?.emissions
    try {
      return (await run.flush()).emissions
    } catch (error) {
      this.#log('error', `could not save the figures: ${messageOf(error)}`)
      return undefined
    }
  }

  /** The record so far, or the final one; reads the hardware. */
  get emissionsData(): EmissionsData | undefined {
    if (this.#stopping !== undefined) return this.#final
    return this.#attempt('tell the figures', () => this.#started?.run.record())
  }

  /** What was used while no task was running, in joules and grams, without PUE. */
  get unattributed(): Usage | undefined {
    return this.#started?.run.unattributed()
  }

  /** Begins a task; starts the tracker where it does not run. Inside `task()` it is part of that task. */
  startTask(name: string = crypto.randomUUID()): Task {
    if (this.#started === undefined || this.#stopping !== undefined) this.start()
    return this.#beginTask(name, currentIn(this.#started?.run))
  }

  /**
   * Begins a scope, as the hooks of frameworks do for each job or request: it costs next to nothing, since the hardware is not read for it. What it has used is
   * told at the next measurement. Starts a tracker that never ran; of one that has been stopped, requests that still come measure nothing.
   */
  beginScope(options: ScopeOptions): WorkScope {
    if (this.#started === undefined && !this.#cannotBegin) this.start()
    const run = this.#stopping === undefined ? this.#started?.run : undefined
    const { attribution } = this.#options
    const scope =
      run &&
      this.#attempt('begin a scope', () => createRunScope(run, options, { log: this.#log, attribution }))
    return scope ?? new NoScope(options)
  }

  /** Ends the task of that name, or the latest; `undefined` where there is none. */
  stopTask(name?: string): TaskEmissionsData | undefined {
    const run = this.#started?.run
    const task = run?.findTask(name)
    if (run !== undefined && task !== undefined) return this.#attempt('end a task', () => run.endTask(task))
    this.#log(
      'warning',
      name === undefined ? 'stopTask(): no task is running' : `stopTask(): no task "${name}" is running`,
    )
    return undefined
  }

  /**
   * Runs a function as a task. Returns what it returns; a promise is waited for, errors pass through. Tasks may be nested and concurrent. `onEnd` is given
   * the record of the task, before the result.
   */
  task<T>(name: string, fn: () => T, onEnd?: (record: TaskEmissionsData) => void): T {
    const run =
      this.#started === undefined || this.#stopping !== undefined
        ? this.start().#started?.run
        : this.#started.run
    if (run === undefined) return fn()
    const task = this.#attempt('begin a task', () => run.beginTask(name, currentIn(run)))
    if (task === undefined) return fn()
    const place = new TaskPlace(run, task, (count) => {
      this.#log('error', wrongCount(count))
    })
    const end = (): void => {
      const record = this.#attempt('end a task', () => run.endTask(task))
      place.end()
      if (record !== undefined) this.#attempt('tell of a task', () => onEnd?.(record))
    }
    let result: T
    try {
      result = run.scopes.inside(task.scope, () => scopeStorage.run(place, fn))
    } catch (error) {
      end()
      throw error
    }
    if (!isThenable(result)) {
      end()
      return result
    }
    return Promise.resolve(result).finally(end) as T
  }

  /**
   * Counts functional units of the Software Carbon Intensity: requests, images, epochs, whatever `functionalUnit` calls them. Inside
   * `task()` they count for that task as well.
   */
  countFunctionalUnits(count = 1): void {
    const run = this.#running('countFunctionalUnits()')
    this.#countUnits(run, count, currentIn(run))
  }

  /** A report of the run for people: energy by component, emissions, comparisons, and what would make it more exact. */
  async report(): Promise<string> {
    const started = this.#started
    if (started === undefined) return ''
    try {
      const data = started.run.record()
      const { renderReport } = await import('./report.ts')
      return renderReport(started, data)
    } catch (error) {
      this.#log('error', `could not report: ${messageOf(error)}`)
      return ''
    }
  }

  /** Processors, memory and graphics processors found by the run. */
  getDetectedHardware(): DetectedHardware | undefined {
    const started = this.#started
    if (started === undefined) return undefined
    const { machine, gpus } = started.survey
    const { facts } = started.run
    return {
      ramTotalSize: facts.ramTotalGibibytes,
      cpuCount: facts.cpuCount,
      cpuPhysicalCount: machine.cpu.sockets,
      cpuModel: facts.cpuModel,
      gpuCount: gpus.count(),
      gpuModel: facts.gpuModel,
      gpuIds: gpus.cards().map(({ id }) => id),
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop().then(() => undefined)
  }

  /** Does something that must not reach the program, whatever happens: files gone, descriptors used up. */
  #attempt<T>(what: string, action: () => T): T | undefined {
    try {
      return action()
    } catch (error) {
      this.#log('error', `could not ${what}: ${messageOf(error)}`)
      return undefined
    }
  }

  #begin(): void {
    const { outputHandlers = [], exporters = [] } = this.#given
    const { experimentName } = this.#options
    const started = startRun(this.#options, {
      log: this.#log,
      origins: this.#origins,
      exporters: [
        ...outputHandlers.map((handler, index) =>
          toExporter(handler, experimentName, `handler ${index + 1}`, (error) => {
            this.#log('error', `output handler ${index + 1}: ${messageOf(error)}`)
          }),
        ),
        ...exporters,
      ],
    })
    this.#started = started
    this.#stopping = undefined
    this.#unsaved = {
      saveAtExit: () => {
        this.#save(started, 'exit')
      },
      saveAtSignal: () => {
        this.#attempt('save at a signal', () => started.run.saveSync('signal'))
      },
      sendBeforeEnd: async () => {
        try {
          return await started.run.sendBeforeEnd()
        } catch (error) {
          this.#log('error', `could not send the figures: ${messageOf(error)}`)
          return false
        }
      },
    }
    saveBeforeEnd(this.#unsaved)
    this.#log('info', `tracking ${this.#options.projectName}: ${describeMethods(started)}`)
  }

  async #finish(started: Started): Promise<number | undefined> {
    const unsaved = this.#unsaved
    let final: EmissionsData | undefined
    try {
      final = started.run.end()
      this.#final = final
      await started.run.stop()
      this.#log('info', summaryLine(final, started.csvPath()))
    } catch (error) {
      this.#log('error', `the run could not be ended properly: ${messageOf(error)}`)
    } finally {
      if (unsaved !== undefined) forget(unsaved)
    }
    return final?.emissions
  }

  #save(started: Started, reason: 'stop' | 'exit'): void {
    // An experiment beside it may end it while the process ends, too.
    if (this.#unsaved === undefined) return
    try {
      this.#final = started.run.saveSync(reason)
      this.#log('info', summaryLine(this.#final, started.csvPath()))
    } catch (error) {
      this.#log('error', `the run could not be saved: ${messageOf(error)}`)
    } finally {
      this.#stopping ??= Promise.resolve(this.#final?.emissions)
      if (this.#unsaved !== undefined) forget(this.#unsaved)
    }
  }

  #running(call: string): Run | undefined {
    if (this.#started !== undefined && this.#stopping === undefined) return this.#started.run
    this.#log('warning', `${call}: this tracker is not running`)
    return undefined
  }

  #countUnits(run: Run | undefined, count: number, task: Counted | undefined): void {
    if (isCount(count)) run?.countUnits(count, task)
    else this.#log('error', wrongCount(count))
  }

  #beginTask(name: string, parent: Counted | undefined): Task {
    const run = this.#started?.run
    const task = this.#attempt('begin a task', () => run?.beginTask(name, parent))
    return {
      name: task?.name ?? name,
      stop: () => (task === undefined ? undefined : this.#attempt('end a task', () => run?.endTask(task))),
      startTask: (inner = crypto.randomUUID()) => this.#beginTask(inner, task),
      countFunctionalUnits: (count = 1) => {
        if (task?.scope.ended === true)
          this.#log('warning', `countFunctionalUnits(): task "${name}" has ended; none is counted`)
        else this.#countUnits(run, count, task)
      },
    }
  }
}

/** A tracker that never uses the network: give it the country. */
export class OfflineEmissionsTracker extends EmissionsTracker {
  constructor(options: Omit<TrackerOptions, 'offline'> = {}) {
    super({ ...options, offline: true })
  }
}

function checkList(name: string, value: unknown): void {
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null)
  if (value === undefined || isList) return
  throw new ConfigError(`option ${name}: expected a list of objects, got ${typeof value}`)
}

function checkLogger(logger: unknown): void {
  if (logger === undefined) return
  const missing = ['debug', 'info', 'warn', 'error'].filter(
    (name) => typeof (logger as Record<string, unknown> | null)?.[name] !== 'function',
  )
  if (missing.length === 0) return
  throw new ConfigError(
    `option logger: expected an object with the functions debug, info, warn and error; it lacks ${missing.join(', ')}`,
  )
}

function describeMethods(started: Started): string {
  return started.survey.detection.components
    .map(
      ({ component, chosen }) =>
        `${component} ${chosen === undefined ? 'unmeasured' : `${chosen.method} (${chosen.probe})`}`,
    )
    .join(', ')
}
