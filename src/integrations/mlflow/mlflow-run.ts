import type { Clock } from '../../core/clock.ts'
import { EnergyError } from '../../core/errors.ts'
import type { JsonApi } from '../../http/json-api.ts'
import { artifactPath } from './artifact-path.ts'
import { createAttempts, type Patience } from './attempts.ts'
import type { MlflowSettings } from './load-settings.ts'
import { MlflowRefusal } from './mlflow-refusal.ts'
import { markTag, openRun, type OpenedRun } from './open-run.ts'
import { createWaiting, type Waiting } from './waiting.ts'

/** What a run is put together from. */
export interface MlflowRunParts {
  readonly api: JsonApi
  readonly settings: MlflowSettings
  readonly clock: Clock
  /** From 0 to 1. */
  readonly random: () => number
  /** What the user should know, once. */
  readonly onNotice: (message: string) => void
}

/** The run of CodeCarbon. */
export interface RunMark {
  readonly runId: string
  readonly projectName: string
  /** Milliseconds since 1970. */
  readonly startMs: number
  /** When the figures are from. */
  readonly nowMs: number
}

/** What is sent for whom, and how urgent it is. */
export interface SendOptions {
  readonly mark: RunMark
  /** Leaves a server that fails alone for a while, and gives way to what is more urgent; else it is tried until time is up. */
  readonly isLive: boolean
  /** For all requests together. */
  readonly timeoutMs: number
}

/** How a run of its own has ended. */
export type RunStatus = 'FINISHED' | 'FAILED'

/** A run of MLflow that is being logged to. What is logged waits until it is sent; nothing but `send` and `end` waits for the server. */
export interface MlflowRun extends Pick<Waiting, 'logMetric' | 'logParameter' | 'setTag' | 'logArtifact'> {
  /** Something is being sent. */
  readonly isBusy: boolean
  /** @throws EnergyError ERR_EXPORT_FAILED, which says what is wrong; what was not sent waits for the next time */
  send(options: SendOptions): Promise<void>
  /** The same, and ends the run where it was made here. */
  end(options: SendOptions, status: RunStatus): Promise<void>
}

/** Logs to one run, which is looked for or made when something is first sent. */
export function createMlflowRun({ api, settings, clock, random, onNotice }: MlflowRunParts): MlflowRun {
  const nowMs = (): number => clock.now().monotonic * 1000
  const waiting = createWaiting()
  const attempts = createAttempts(clock, random)
  let opened: OpenedRun | undefined
  let mayBeMade = false
  let toldOfFiles = false
  let turns = 0
  let tail: Promise<void> = Promise.resolve()
  let live: AbortController | undefined

  const within = (leftMs: number): number => Math.min(settings.requestMs, leftMs)

  function open({ projectName, startMs, runId }: RunMark, patience: Patience): Promise<OpenedRun> {
    // From its beginning each time: one whose answer got lost is looked for before another one is made.
    return attempts.untilTaken((leftMs) => {
      const fresh = { name: projectName, startMs, mark: runId, mayBeMade }
      return openRun(
        (call) => {
          if (call.path === 'mlflow/runs/create') mayBeMade = true
          return api.call(call, within(leftMs), patience.signal)
        },
        settings,
        fresh,
      )
    }, patience)
  }

  async function opening(mark: RunMark, patience: Patience): Promise<OpenedRun> {
    const run = await open(mark, patience)
    waiting.settle(run.parameters)
    waiting.setTag(markTag, mark.runId)
    return run
  }

  async function deliver(mark: RunMark, patience: Patience): Promise<void> {
    const run = (opened ??= await opening(mark, patience))
    const ofBatches = await sendBatches(run, patience)
    const ofFiles = await sendFiles(run, patience)
    const refusal = ofBatches ?? ofFiles
    if (refusal !== undefined) throw refusal
  }

  async function sendBatches({ id }: OpenedRun, patience: Patience): Promise<MlflowRefusal | undefined> {
    let refused: MlflowRefusal | undefined
    for (const batch of waiting.batches()) {
      const call = { path: 'mlflow/runs/log-batch', body: { run_id: id, ...batch } }
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other, as it happened
        await attempts.untilTaken((leftMs) => api.call(call, within(leftMs), patience.signal), patience)
        waiting.settle(batch.params.map(({ key, value }) => [key, value]))
      } catch (error) {
        if (!isRefused(error)) throw error
        refused = error
      }
      // What is not taken now will not be taken later.
      waiting.remove(batch)
    }
    return refused
  }

  async function sendFiles(
    { artifactUri }: OpenedRun,
    patience: Patience,
  ): Promise<MlflowRefusal | undefined> {
    let refused: MlflowRefusal | undefined
    for (const [name, file] of waiting.files()) {
      const path = artifactPath(artifactUri, api.url, name)
      try {
        // oxlint-disable-next-line no-await-in-loop -- so that a report makes one connection at a time
        if (path !== undefined)
          await attempts.untilTaken(
            (leftMs) =>
              api.call({ path, upload: { method: 'PUT', ...file } }, within(leftMs), patience.signal),
            patience,
          )
        else tellOfFiles(artifactUri)
      } catch (error) {
        if (!isRefused(error)) throw error
        refused = error
      }
      waiting.removeFile(name, file)
    }
    return refused
  }

  function tellOfFiles(uri: string): void {
    if (toldOfFiles) return
    toldOfFiles = true
    const scheme = /^[a-z][\w+.-]*:/i.exec(uri)?.[0] ?? 'a folder'
    onNotice(
      `emissions.csv is not uploaded: files of this run are kept at ${scheme} and not handed on by the server (mlflow-artifacts:); figures, parameters and tags are logged`,
    )
  }

  async function finish(mark: RunMark, status: RunStatus, patience: Patience): Promise<void> {
    try {
      await deliver(mark, patience)
    } finally {
      // A run that was made here does not go on for ever, whatever else was refused.
      if (opened?.isOwn === true) {
        const body = { run_id: opened.id, status, end_time: mark.nowMs }
        const call = { path: 'mlflow/runs/update', body }
        await attempts.untilTaken((leftMs) => api.call(call, within(leftMs), patience.signal), patience)
      }
    }
  }

  /** One after the other; a live one gives way. */
  async function inTurn(
    { isLive, timeoutMs }: SendOptions,
    work: (patience: Patience) => Promise<void>,
  ): Promise<void> {
    const untilMs = nowMs() + timeoutMs
    if (!isLive) live?.abort()
    turns += 1
    const mine = new AbortController()
    const before = tail
    tail = (async () => {
      await before.catch(() => undefined)
      // It was told when it failed.
      if (isLive && attempts.isResting()) return
      live = isLive ? mine : undefined
      await work({ untilMs, isLive, signal: mine.signal })
    })()
    try {
      await tail
    } catch (error) {
      if (mine.signal.aborted) return
      if (!(error instanceof MlflowRefusal)) throw error
      throw new EnergyError('ERR_EXPORT_FAILED', `${api.server} ${error.message}`, { cause: error })
    } finally {
      turns -= 1
    }
  }

  return {
    ...waiting,
    get isBusy() {
      return turns > 0
    },
    send: (options) => inTurn(options, (patience) => deliver(options.mark, patience)),
    end: (options, status) => inTurn(options, (patience) => finish(options.mark, status, patience)),
  }
}

const isRefused = (error: unknown): error is MlflowRefusal =>
  error instanceof MlflowRefusal && error.kind === 'refused'
