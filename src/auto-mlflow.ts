import type { Options } from './config/option-table.ts'

/**
 * The options of a command or a program that is to be logged to MLflow without anybody having to say so: where `MLFLOW_TRACKING_URI` and `MLFLOW_RUN_ID` name a
 * run of a server, and `mlflow_auto_log` is not false.
 */
export async function withMlflow(options: Options): Promise<Options> {
  const { outputMethods, offline, mlflowAutoLog } = options
  const { MLFLOW_RUN_ID: runId = '' } = process.env
  if (!mlflowAutoLog || offline || runId === '' || outputMethods.includes('mlflow')) return options
  const { namesRun } = await import('./integrations/mlflow/load-settings.ts')
  return namesRun() ? { ...options, outputMethods: [...outputMethods, 'mlflow'] } : options
}
