import { fieldsOf, type Answer, type ApiCall } from '../../http/json-api.ts'
import { MlflowRefusal } from './mlflow-refusal.ts'
import type { MlflowSettings } from './load-settings.ts'

/** A run that the server has. */
export interface OpenedRun {
  readonly id: string
  readonly experimentId: string
  /** It was made here, and ends here. */
  readonly isOwn: boolean
  readonly artifactUri: string
  /** Parameters that it has already: they cannot change. */
  readonly parameters: ReadonlyMap<string, string>
}

/** What a run of its own is made with. */
export interface NewRun {
  readonly name: string
  readonly startMs: number
  /** Nobody else's: by it a run is found again that was made without an answer. */
  readonly mark: string
  /** One may have been made before. */
  readonly mayBeMade: boolean
}

type Call = (call: ApiCall) => Promise<Answer>
type OpenSettings = Pick<MlflowSettings, 'runId' | 'isNested' | 'experimentId' | 'experimentName' | 'runName'>

/** The tag that tells which run of CodeCarbon made a run of MLflow. */
export const markTag = 'codecarbon.run_id'
/** MLflow's own: which run it is below. */
const parentTag = 'mlflow.parentRunId'
/** The experiment Default, which each server has. */
const defaultExperiment = '0'

/**
 * Finds the run that is to be added to, or makes one, below that where it is to be nested.
 *
 * @throws MlflowRefusal
 */
export async function openRun(call: Call, settings: OpenSettings, fresh: NewRun): Promise<OpenedRun> {
  const { runId, isNested } = settings
  const given = runId === undefined ? undefined : await getRun(call, runId)
  if (given !== undefined && !isNested) return given
  const experimentId = await experimentOf(call, settings, given)
  const before = fresh.mayBeMade ? await findRun(call, experimentId, fresh.mark) : undefined
  if (before !== undefined) return before
  const tags = [
    { key: markTag, value: fresh.mark },
    ...(given === undefined ? [] : [{ key: parentTag, value: given.id }]),
  ]
  const name = settings.runName ?? fresh.name
  const { run } = await call({
    path: 'mlflow/runs/create',
    body: { experiment_id: experimentId, start_time: fresh.startMs, run_name: name, tags },
  })
  return toOpened(run, true)
}

async function getRun(call: Call, runId: string): Promise<OpenedRun> {
  try {
    const { run } = await call({ path: 'mlflow/runs/get', query: { run_id: runId } })
    if (fieldsOf(fieldsOf(run)['info'])['lifecycle_stage'] === 'deleted')
      throw new MlflowRefusal('missing', `has deleted the run ${runId}: check MLFLOW_RUN_ID (runId in code)`)
    return toOpened(run, false)
  } catch (error) {
    if (!(error instanceof MlflowRefusal) || error.kind !== 'missing' || error.message.includes('deleted'))
      throw error
    throw new MlflowRefusal('missing', `has no run ${runId}: check MLFLOW_RUN_ID (runId in code)`)
  }
}

async function experimentOf(
  call: Call,
  { experimentId, experimentName }: OpenSettings,
  parent: OpenedRun | undefined,
): Promise<string> {
  if (experimentId !== undefined) return experimentId
  if (experimentName === undefined) return parent?.experimentId ?? defaultExperiment
  const found = await findExperiment(call, experimentName)
  if (found !== undefined) return found
  try {
    return textIn(
      await call({ path: 'mlflow/experiments/create', body: { name: experimentName } }),
      'experiment_id',
    )
  } catch (error) {
    if (!(error instanceof MlflowRefusal) || error.kind !== 'exists') throw error
    // Somebody else made it in the meantime; or it was deleted, which does not free its name.
    const theirs = await findExperiment(call, experimentName)
    if (theirs !== undefined) return theirs
    throw error
  }
}

async function findExperiment(call: Call, name: string): Promise<string | undefined> {
  try {
    const { experiment } = await call({
      path: 'mlflow/experiments/get-by-name',
      query: { experiment_name: name },
    })
    const fields = fieldsOf(experiment)
    if (fields['lifecycle_stage'] === 'deleted')
      throw new MlflowRefusal(
        'refused',
        'has deleted the experiment of this name: restore it, or give another name with MLFLOW_EXPERIMENT_NAME',
      )
    return textIn(fields, 'experiment_id')
  } catch (error) {
    if (error instanceof MlflowRefusal && error.kind === 'missing') return undefined
    throw error
  }
}

async function findRun(call: Call, experimentId: string, mark: string): Promise<OpenedRun | undefined> {
  const { runs } = await call({
    path: 'mlflow/runs/search',
    body: { experiment_ids: [experimentId], filter: `tags.\`${markTag}\` = '${mark}'`, max_results: 1 },
  })
  const [run] = Array.isArray(runs) ? (runs as unknown[]) : []
  return run === undefined ? undefined : toOpened(run, true)
}

function toOpened(run: unknown, isOwn: boolean): OpenedRun {
  const { info, data } = fieldsOf(run)
  const { params } = fieldsOf(data)
  const fields = fieldsOf(info)
  return {
    id: textIn(fields, 'run_id'),
    experimentId: textIn(fields, 'experiment_id'),
    isOwn,
    artifactUri: typeof fields['artifact_uri'] === 'string' ? fields['artifact_uri'] : '',
    parameters: new Map(
      (Array.isArray(params) ? (params as unknown[]) : []).map((param) => {
        const { key, value } = fieldsOf(param)
        return [String(key), String(value)]
      }),
    ),
  }
}

function textIn(fields: Answer, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw new MlflowRefusal('refused', `answered without ${name}`)
}
