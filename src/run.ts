import type { EmissionsData, IntensityRecord, TaskEmissionsData } from './core/emissions-data.ts'
import { messageOf } from './core/errors.ts'
import type { Exporter, ExporterHealth, Reason, Report, RunView } from './core/exporter.ts'
import type { HostCounters, HostReporter, HostSeries } from './core/host-share.ts'
import { LoadMeter, meansBetween, type LoadMark } from './core/load-meter.ts'
import type { Meter, MeterOptions } from './core/meter.ts'
import { ModelCallTotals, type ModelCallUse } from './core/model-calls.ts'
import { createScopes, type Scope, type Scopes } from './core/scopes.ts'
import type { Snapshot } from './core/snapshot.ts'
import { toEmissionsData, type RunFacts } from './core/to-emissions-data.ts'
import { seconds, type Seconds } from './core/units.ts'
import { noUsage, usageBetween, type Usage } from './core/usage.ts'
import { ExporterLane, type Told } from './exporter-lane.ts'
import { RunHost, type HostHooks } from './run-host.ts'
import { RunTasks, type RunTask } from './run-tasks.ts'
import { livingIn, type Counted } from './scopes/counted.ts'
import { currentIn } from './scopes/run-scope.ts'
import { ScopeBook } from './scopes/scope-book.ts'
import type { ThreadTimes } from './scopes/thread-time.ts'
import type { Log } from './log.ts'

/** What a run is put together from. */
export interface RunParts {
  readonly facts: RunFacts
  readonly openMeter: (hooks: Pick<MeterOptions, 'onSnapshot' | 'onMeasurement' | 'onProblem'>) => Meter
  readonly exporters: readonly Exporter[]
  /** What was used since a moment of the monotonic clock. */
  readonly intensity: (since: Seconds) => IntensityRecord
  readonly apiCallInterval: number
  /** Between two measurements. */
  readonly interval: Seconds
  /** Of the monotonic clock. */
  readonly now: () => Seconds
  /** Functional units of the run, where nobody counts them. */
  readonly functionalUnits?: number | undefined
  /** Tells the time of the thread by scope. @default scopes share by the time in which they are active */
  readonly threadTimes?: ((current: () => Scope | undefined) => ThreadTimes) | undefined
  readonly log: Log
  /** Asks who tells the series of the whole machine; called where an exporter is shared. */
  readonly joinHost?: ((hooks: HostHooks) => HostReporter) | undefined
  /** Called once, when nothing more is measured. */
  readonly onEnd?: (() => void) | undefined
}

/**
 * Readings that anybody may look at must not be newer than this: energy told more closely gives away what other programs compute (PLATYPUS,
 * https://platypusattack.com), which is why the kernel lets root alone read the counters.
 */
const viewSeconds = 1

/** Whom reports are for. */
interface ReportsOptions {
  readonly lanes: readonly ExporterLane[]
  /** Whether what they tell is told another time. */
  readonly isInterim: boolean
  readonly mayBeLast: boolean
}

/** Ended tasks are handed out when this many have gathered, so that a service with millions of them needs no more memory. */
const tasksHeld = 1000

/** One measured run, from its first reading to its last. */
export class Run {
  readonly facts: RunFacts
  readonly #parts: RunParts
  readonly #meter: Meter
  readonly #first: Snapshot
  readonly #start: Usage
  readonly #load: LoadMeter
  readonly #begun: LoadMark
  readonly #scopes: Scopes
  /** Scopes of hooks. */
  readonly scopes: ScopeBook
  readonly #tasks = new RunTasks()
  #ended: TaskEmissionsData[] = []
  #last: Snapshot
  readonly #lanes: readonly ExporterLane[]
  readonly #host: RunHost
  /** Settles when each output is open or could not be opened: which is, by its name. */
  readonly opened: Promise<ReadonlyMap<string, boolean>>
  #measurements = 0
  #units: number | undefined
  readonly #modelCalls = new ModelCallTotals()
  #final: EmissionsData | undefined
  #view: RunView | undefined
  #isViewFinal = false
  #isEnding = false
  /** Whether remote exporters have all that there was to be told. */
  #isAllSent = false

  constructor(parts: RunParts) {
    this.#parts = parts
    this.facts = parts.facts
    let opened = false
    this.#meter = parts.openMeter({
      onSnapshot: (snapshot) => {
        if (opened) this.#advance(snapshot)
      },
      onMeasurement: ({ took }) => {
        for (const lane of this.#lanes) lane.tellTick(took)
        this.#measured()
      },
      onProblem: (problem) => {
        parts.log('warning', problem.message)
      },
    })
    this.#first = this.#meter.first
    this.#last = this.#first
    this.#start = this.#usageOf(this.#first)
    this.#load = new LoadMeter(this.#first)
    this.#begun = this.#load.mark
    this.#scopes = createScopes(this.#start, {
      at: this.#first.at.monotonic,
      logicalCpus: parts.facts.cpuCount,
    })
    this.scopes = new ScopeBook({
      begin: (parent, start) => this.#scopes.begin(parent, start),
      now: parts.now,
      read: () => {
        if (this.#final === undefined) this.#readForOthers()
      },
      pue: parts.facts.pue,
      threadTimes: parts.threadTimes?.(() => currentIn(this)?.scope),
      onSettled: (ended) => {
        for (const lane of this.#lanes) lane.tellScopes(ended)
      },
    })
    const told = { mark: this.#begun, usage: this.#start, units: undefined }
    this.#lanes = parts.exporters.map(
      (exporter) =>
        new ExporterLane(exporter, told, (message, { name }) => {
          this.#meter.report({
            code: 'ERR_EXPORT_FAILED',
            subject: name,
            message: `output ${name}: ${message}`,
          })
        }),
    )
    opened = true
    const isShared = parts.exporters.some((exporter) => exporter.isShared === true)
    const join = isShared ? parts.joinHost : undefined
    this.#host = new RunHost({
      series: join === undefined ? [] : hostSeries(this.facts),
      join,
      counters: () => this.#hostCounters(),
      onChange: () => {
        // What is told from now on begins now, and not with the last measurement.
        this.#readForOthers()
        this.#view = undefined
      },
      onProblem: (problem) => {
        this.#meter.report(problem)
      },
    })
    this.opened = this.#openOutputs()
  }

  async #openOutputs(): Promise<ReadonlyMap<string, boolean>> {
    const lanes = await Promise.all(
      this.#lanes.map(async (lane) => ({ lane, isOpen: await lane.open(() => this.view()) })),
    )
    const shared = lanes.filter(({ lane }) => lane.isShared)
    if (shared.length > 0 && !shared.some(({ isOpen }) => isOpen)) this.#leaveHost()
    return new Map(lanes.map(({ lane, isOpen }) => [lane.health.name, isOpen]))
  }

  /** Who can show nothing must not keep others from telling of the machine. */
  #leaveHost(): void {
    if (!this.#host.leave()) return
    this.#view = undefined
    this.#parts.log(
      'info',
      'host reporter: no output of this run that would tell the series of the whole machine could be opened, so it leaves them to another run',
    )
  }

  /** Reads the hardware where nobody waits for it who could be told of a failure. */
  #readForOthers(): void {
    try {
      this.#meter.read()
    } catch (error) {
      this.#meter.report({ code: 'ERR_PROBE_READ', subject: 'meter', message: messageOf(error) })
    }
  }

  #hostCounters(): HostCounters {
    const { wallMs } = this.#last.at
    return { wallMs, used: this.used(), unattributed: this.unattributed(), domains: this.#meter.domains() }
  }

  /** The record up to now; the final one once the run has ended. */
  record(): EmissionsData {
    if (this.#final !== undefined) return this.#final
    this.#meter.read()
    return this.#total()
  }

  /** What the program used while no task was running. */
  unattributed(): Usage {
    return this.#scopes.unattributed()
  }

  /** What the whole run has used, before PUE. */
  used(): Usage {
    return usageBetween(this.#start, this.#usageOf(this.#last))
  }

  /** The share of the tracked process tree, where the run follows one beside the whole machine. */
  usedByTree(): Usage | undefined {
    const { tree } = this.#last
    return tree === undefined ? undefined : usageBetween(this.#first.tree ?? noUsage, tree)
  }

  beginTask(name: string, within?: Counted): RunTask {
    this.#meter.read()
    const parent = livingIn(within)
    return this.#tasks.begin(name, {
      scope: this.#scopes.begin(parent?.scope),
      begunAt: this.#load.mark,
      parent,
    })
  }

  /** Counts functional units, in a task and in whatever it is part of. */
  countUnits(count: number, task?: Counted): void {
    this.#units = (this.#units ?? 0) + count
    for (let at = task; at !== undefined; at = at.parent) at.units = (at.units ?? 0) + count
  }

  /** Counts a call of a model, beside all that is measured. */
  countModelCall(call: ModelCallUse): void {
    if (this.#final === undefined) this.#modelCalls.add(call)
  }

  /** Ends a task; `undefined` where the run or the task has ended before. */
  endTask(task: RunTask): TaskEmissionsData | undefined {
    if (!this.#tasks.has(task) || this.#final !== undefined) return undefined
    this.#meter.read()
    return this.#endTask(task)
  }

  /** The last of the tasks that run, or the one with this name. */
  findTask(name?: string): RunTask | undefined {
    return this.#tasks.find(name)
  }

  /** Hands the figures so far to every exporter. */
  async flush(): Promise<EmissionsData> {
    this.#meter.read()
    const reports = this.#reports('flush')
    const total = this.#total()
    await Promise.all(reports.map(([lane, report]) => lane.send(report)))
    return total
  }

  /** Ends the measurement: takes the last reading and releases the hardware. What follows only hands the figures out. */
  end(): EmissionsData {
    if (this.#final !== undefined) return this.#final
    this.scopes.endAll()
    this.#isEnding = true
    this.#meter.read()
    for (const task of this.#tasks.list().toReversed()) this.#endTask(task)
    try {
      this.#final = this.#total()
      // Whoever looks now sees the end, however little ago the last look was.
      this.#view = undefined
    } finally {
      this.#meter.close()
      this.scopes.close()
      this.#host.close()
      this.#parts.onEnd?.()
    }
    return this.#final
  }

  /** Hands the final figures to every exporter, none of which may take longer than its deadline. */
  async stop(deadlineMs?: number): Promise<EmissionsData> {
    const final = this.end()
    await Promise.all(this.#reports('stop').map(([lane, report]) => lane.finish(report, deadlineMs)))
    return final
  }

  /**
   * The run as outputs see it that are asked from outside: the last look, or a new one where that is a second old. Once the run has ended it is
   * the whole run: who looks has no say in when that is.
   */
  view(): RunView {
    const age = this.#parts.now() - (this.#view?.snapshot.at.monotonic ?? -Infinity)
    const isDue = this.#final === undefined ? age >= viewSeconds : !this.#isViewFinal
    if (this.#view === undefined || isDue) this.#view = this.#look()
    return this.#view
  }

  #look(): RunView {
    this.#isViewFinal = this.#final !== undefined
    if (!this.#isViewFinal) this.#meter.read()
    return {
      begunMs: this.#first.at.wallMs,
      snapshot: this.#last,
      record: this.#final ?? this.#total(),
      used: this.used(),
      unattributed: this.unattributed(),
      process: this.facts.trackingMode === 'process' ? this.used() : this.usedByTree(),
      modelCalls: this.#modelCalls.list(),
      host: this.#host.view(),
      exporters: this.health(),
      interval: this.#parts.interval,
      residentBytes: process.memoryUsage.rss(),
    }
  }

  /** How each exporter has been doing. */
  health(): readonly ExporterHealth[] {
    return this.#lanes.map(({ health }) => health)
  }

  /** Where a person finds what was handed out. */
  places(): readonly string[] {
    return this.#lanes.map(({ place }) => place).filter((place) => place !== undefined)
  }

  /**
   * Hands the figures so far to the exporters that cannot be told any more when the process has ended. The run goes on, and at its end is told to all of
   * them as if this had not been.
   * @returns whether all of them took it
   */
  async sendBeforeEnd(): Promise<boolean> {
    const remote = this.#lanes.filter(({ isRemote }) => isRemote)
    if (remote.length === 0 || this.#final !== undefined) return true
    this.#meter.read()
    // However little ago somebody looked: who is asked at an end is not watching.
    this.#view = undefined
    const reports = this.#reports('flush', { lanes: remote, isInterim: true, mayBeLast: true })
    await Promise.all(reports.map(([lane, report]) => lane.send(report)))
    this.#isAllSent = true
    return remote.every(({ health }) => health.error === undefined)
  }

  /** Hands out, without waiting for anything, the figures and whatever is still on its way. After `signal` the run goes on. */
  saveSync(reason: Extract<Reason, 'stop' | 'exit' | 'signal'>): EmissionsData {
    const isStopping = this.#final !== undefined
    const total = reason === 'signal' ? this.record() : this.end()
    if (reason === 'exit' && !isStopping) this.#tellUnsent()
    if (isStopping) for (const lane of this.#lanes) lane.sendSync(undefined)
    else for (const [lane, report] of this.#reports(reason)) lane.sendSync(report)
    if (reason !== 'signal') for (const lane of this.#lanes) lane.closeLater()
    return total
  }

  #tellUnsent(): void {
    const names = this.#lanes.filter(({ losesUnsent }) => losesUnsent).map(({ health }) => health.name)
    if (names.length === 0 || this.#isAllSent) return
    const what = `output${names.length === 1 ? '' : 's'} ${names.join(', ')}`
    this.#parts.log(
      'warning',
      `${what}: the process ends before stop(), and nothing can be sent over a network any more: what came since the last time is missing there`,
    )
  }

  #usageOf(snapshot: Snapshot): Usage {
    return this.facts.trackingMode === 'process' ? (snapshot.tree ?? noUsage) : snapshot.machine
  }

  #advance(snapshot: Snapshot): void {
    this.#last = snapshot
    this.#load.advance(snapshot)
    this.scopes.tellTimes()
    this.#scopes.advance(this.#usageOf(snapshot), snapshot.at.monotonic, this.#isEnding)
    this.scopes.settle()
  }

  #measured(): void {
    this.#measurements += 1
    this.#isAllSent = false
    const { apiCallInterval } = this.#parts
    if (apiCallInterval >= 1 && this.#measurements % apiCallInterval === 0) this.#reportLive()
  }

  #reportLive(): void {
    for (const [lane, report] of this.#reports('live')) void lane.send(report)
  }

  #endTask(task: RunTask): TaskEmissionsData {
    this.#tasks.end(task)
    task.scope.end()
    task.parent = livingIn(task.parent)
    const data = {
      ...this.#record(task.scope.used(), task.begunAt, this.#load.mark, { units: task.units }),
      taskName: task.name,
      givenTaskName: task.givenName,
    }
    this.#ended.push(data)
    for (const lane of this.#lanes) lane.tellTask(data)
    if (this.#ended.length >= tasksHeld) this.#reportLive()
    return data
  }

  #total(): EmissionsData {
    return this.#record(this.used(), this.#begun, this.#load.mark, { isRun: true, units: this.#allUnits })
  }

  get #allUnits(): number | undefined {
    // To count none is not to count: the option tells of runs whose program does not.
    return this.#units === 0
      ? (this.#parts.functionalUnits ?? 0)
      : (this.#units ?? this.#parts.functionalUnits)
  }

  #record(
    usage: Usage,
    from: LoadMark,
    to: LoadMark,
    { isRun = false, units }: { readonly isRun?: boolean; readonly units: number | undefined },
  ): EmissionsData {
    return toEmissionsData(this.facts, {
      wallMs: to.snapshot.at.wallMs,
      duration: seconds(to.snapshot.at.monotonic - from.snapshot.at.monotonic),
      usage,
      load: meansBetween(from, to),
      intensity: this.#parts.intensity(from.snapshot.at.monotonic),
      problems: to.snapshot.problems,
      functionalUnits: units,
      scopes: isRun ? this.scopes.totals() : undefined,
      // Domains are the machine's, of which a process tree has a share.
      domains: isRun && this.facts.trackingMode === 'machine' ? this.#meter.domains() : undefined,
      domainPower: to.snapshot.power,
    })
  }

  /**
   * A report for each exporter, with what came since its own last one. One that is still busy is spared those in between: what they would
   * have told comes with its next one.
   */
  #reports(
    reason: Reason,
    // The program may live through a signal, and exporters that leave it out are then still to be told.
    { lanes = this.#lanes, isInterim = reason === 'signal', mayBeLast = false }: Partial<ReportsOptions> = {},
  ): (readonly [ExporterLane, Report])[] {
    const now: Told = { mark: this.#load.mark, usage: this.#usageOf(this.#last), units: this.#units }
    const total = this.#final ?? this.#total()
    const tasks = this.#ended
    if (!isInterim) this.#ended = []
    const ready = lanes.filter((lane) => {
      if (reason !== 'live' || !lane.isBusy) return true
      if (tasks.length > 0 && lane.isClogged) lane.lose(tasks.length)
      return tasks.length > 0 && !lane.isClogged
    })
    return ready.map((lane) => {
      const { mark, usage, units } = lane.told
      const delta = this.#record(usageBetween(usage, now.usage), mark, now.mark, {
        units: unitsSince(units, now.units),
      })
      if (!isInterim) lane.told = now
      return [lane, { reason, snapshot: this.#last, total, delta, tasks, mayBeLast }]
    })
  }
}

/** Those that were told for the whole run fall on no part of it. */
const unitsSince = (before: number | undefined, now: number | undefined): number | undefined =>
  now === undefined ? undefined : now - (before ?? 0)

/** In process mode what a run used is its own. */
const hostSeries = ({ trackingMode }: RunFacts): readonly HostSeries[] =>
  trackingMode === 'machine' ? ['components', 'devices'] : ['devices']
