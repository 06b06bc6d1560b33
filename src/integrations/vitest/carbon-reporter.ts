import { resolve } from 'node:path'
import { comparisonsFor } from '../../comparisons-for.ts'
import { messageOf } from '../../core/errors.ts'
import { appendStepSummary, stepSummaryPath } from '../../exporters/github/step-summary.ts'
import { writeWholeFile } from '../../files/whole-file.ts'
import type { Logger } from '../../log.ts'
import { EmissionsTracker } from '../../tracker.ts'
import { packageHomepage } from '../../version.ts'
import { checkBudget } from './budget.ts'
import { MeasuredFiles, type FileAttribution, type FileFigures } from './measured-files.ts'
import { checkReporterOptions, type CarbonReporterOptions } from './reporter-options.ts'
import { toTestRunJson } from './run-json.ts'
import { renderRunMarkdown } from './run-markdown.ts'
import { renderRunTable } from './run-table.ts'
import type { TestRun } from './test-run.ts'
import { trackerOptions } from './tracker-options.ts'
import type { RunReason, TestFile, VitestContext } from './vitest-parts.ts'

/** A hook that fails so often is of no use any more. */
const mostFailures = 3

/** A run that goes on. */
interface Current {
  readonly files: MeasuredFiles
  readonly startedAtMs: number
  /** `undefined` where the tracker could not be started. */
  readonly runId: string | undefined
  readonly atExit: () => void
}

/**
 * A reporter of Vitest that measures what tests use: each run of tests is a run of a tracker, each test file a scope of it. At the end it prints a short
 * table on stderr, writes what its options say, and fails a run that exceeds its budget. Whatever goes wrong in it changes no test's result.
 *
 * @throws ConfigError from the constructor, for a wrong option
 * @example
 * export default defineConfig({ test: { reporters: ['default', new CarbonReporter({ budget: { energyJoules: 500 } })] } })
 */
export class CarbonReporter {
  readonly #options: CarbonReporterOptions
  readonly #summaryPath: string | undefined
  readonly #tracker: EmissionsTracker
  readonly #attribution: FileAttribution
  #vitest: VitestContext | undefined
  #current: Current | undefined
  /** What the tracker has said since the run began. */
  #messages: string[] = []
  #failures = 0

  constructor(options: CarbonReporterOptions = {}) {
    checkReporterOptions(options)
    const { githubSummary = true, tracking = {} } = options
    this.#options = options
    this.#attribution = options.attribution ?? 'shared'
    this.#summaryPath = githubSummary ? stepSummaryPath(process.env) : undefined
    this.#tracker = new EmissionsTracker(
      trackerOptions(tracking, this.#logger(), this.#summaryPath !== undefined),
    )
  }

  /** Vitest is there. */
  onInit(vitest: VitestContext): void {
    this.#vitest = vitest
  }

  /** Tests begin, for the first time or once more in watch mode. */
  onTestRunStart(): void {
    this.#attempt(() => {
      const vitest = this.#vitest
      // The tests of reports that are merged ran elsewhere.
      if (vitest === undefined || vitest.config.mergeReports !== undefined) return
      this.#leave()
      const before = this.#tracker.runId
      const { runId } = this.#tracker.start()
      const atExit = (): void => {
        this.#attempt(() => {
          this.#endAtExit()
        })
      }
      process.prependListener('exit', atExit)
      this.#current = {
        files: new MeasuredFiles(this.#tracker, vitest.config.root, this.#attribution),
        startedAtMs: Date.now(),
        runId: runId === before ? undefined : runId,
        atExit,
      }
    })
  }

  /** A worker begins to load a file. */
  onTestModuleQueued(file: TestFile): void {
    this.#attempt(() => this.#current?.files.begin(file))
  }

  /** It is loaded. */
  onTestModuleCollected(file: TestFile): void {
    this.#attempt(() => this.#current?.files.begin(file))
  }

  /** Its tests begin. */
  onTestModuleStart(file: TestFile): void {
    this.#attempt(() => this.#current?.files.begin(file))
  }

  /** Its tests have ended. */
  onTestModuleEnd(file: TestFile): void {
    this.#attempt(() => this.#current?.files.end(file))
  }

  /** All tests have ended, or were interrupted. */
  async onTestRunEnd(_files: unknown, _errors: unknown, reason: RunReason = 'passed'): Promise<void> {
    try {
      const current = this.#current
      if (current === undefined) return
      current.files.endAll()
      await this.#tracker.stop()
      await current.files.settled()
      this.#leave()
      this.#tell(current, reason)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The process ends while tests run, as by a signal: what is known by then is told. */
  #endAtExit(): void {
    const current = this.#current
    if (current === undefined) return
    current.files.endAll()
    this.#tracker.stopSync()
    this.#leave()
    this.#tell(current, 'interrupted')
  }

  #leave(): void {
    if (this.#current !== undefined) process.off('exit', this.#current.atExit)
    this.#current = undefined
  }

  #tell(current: Current, reason: RunReason): void {
    const vitest = this.#vitest
    if (vitest === undefined) return
    const run = this.#toRun(current, reason, vitest)
    const failures = this.#write(run, vitest)
    const told = { ...run, problems: [...run.problems, ...failures] }
    vitest.logger.error(renderRunTable(told, hasColors()))
    this.#messages = []
    const isExceeded = (run.budget?.exceeded.length ?? 0) > 0
    if (isExceeded && !vitest.config.watch && (process.exitCode ?? 0) === 0) process.exitCode = 1
  }

  #toRun({ files, startedAtMs, runId }: Current, reason: RunReason, vitest: VitestContext): TestRun {
    const { budget, budgetUses = 'low' } = this.#options
    const final = this.#tracker.finalEmissionsData
    const data = runId !== undefined && final?.runId === runId ? final : undefined
    const figures = files.figures()
    return {
      vitestVersion: vitest.version,
      reason,
      startedAtMs,
      data,
      csvPath: data === undefined ? undefined : this.#tracker.csvPath,
      files: figures,
      attribution: this.#attribution,
      budget: budget === undefined ? undefined : checkBudget(budget, budgetUses, data, figures),
      problems: [
        ...withoutRepeats(
          (data?.problems ?? []).map(({ message }) => message),
          this.#messages,
        ),
        ...this.#missingCpuTime(figures),
      ],
    }
  }

  #missingCpuTime(files: readonly FileFigures[]): string[] {
    const missing = files.filter(({ cpuSeconds, result }) => cpuSeconds === undefined && ran.has(result))
    if (this.#attribution !== 'exact' || missing.length === 0) return []
    return [
      `the CPU time of ${missing.length} of ${files.length} files was not noted: name codecarbon/vitest/cpu-time among setupFiles, and where workers are threads use Node.js 22.15 or later`,
    ]
  }

  /** @returns what could not be written */
  #write(run: TestRun, vitest: VitestContext): string[] {
    const { outputFile } = this.#options
    const summaryPath = this.#summaryPath
    const failures: string[] = []
    const write = (action: () => void): void => {
      try {
        action()
      } catch (error) {
        failures.push(messageOf(error))
      }
    }
    if (outputFile !== undefined) {
      write(() => {
        const text = JSON.stringify(toTestRunJson(run), undefined, 2)
        writeWholeFile(resolve(vitest.config.root, outputFile), `${text}\n`)
      })
    }
    if (summaryPath !== undefined && run.data !== undefined) {
      write(() => {
        const text = renderRunMarkdown(run, {
          comparisons: (data) => comparisonsFor(data).map((comparison) => comparison.text),
          documentation: packageHomepage(),
        })
        appendStepSummary(summaryPath, text)
      })
    }
    return failures
  }

  /** While tests run, what the tracker says waits for the table: between the lines of Vitest nobody would see it. */
  #logger(): Logger {
    const keep = (message: string): void => {
      const text = message.replace(/^(?:\[[^\]]*\] )+/, '')
      if (this.#current === undefined && this.#vitest !== undefined) this.#vitest.logger.error(message)
      else if (!this.#messages.includes(text)) this.#messages.push(text)
    }
    return {
      debug: (message) => this.#vitest?.logger.error(message),
      info: () => undefined,
      warn: keep,
      error: keep,
    }
  }

  #attempt(action: () => void): void {
    if (this.#failures >= mostFailures) return
    try {
      action()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failures += 1
    if (this.#failures === 1)
      process.emitWarning(`codecarbon/vitest: ${messageOf(error)}`, 'CodeCarbonWarning')
  }
}

/**
 * Problems of the record, and what else the tracker has said. What it said of a problem at first differs from what stands in the record by the times and
 * counts in it.
 */
function withoutRepeats(recorded: readonly string[], said: readonly string[]): string[] {
  const wordsOf = (text: string): string => text.replaceAll(/\d+(?:\.\d+)?/g, '')
  const known = new Set(recorded.map(wordsOf))
  return [...new Set([...recorded, ...said.filter((text) => !known.has(wordsOf(text)))])]
}

/** Files that have been loaded, or should have been. */
const ran: ReadonlySet<string> = new Set(['passed', 'failed'])

/** `NO_COLOR` and `FORCE_COLOR` are looked at by Node.js itself, on a terminal. */
const hasColors = (): boolean =>
  (process.env['NO_COLOR'] ?? '') === '' && process.stderr.isTTY && process.stderr.hasColors()
