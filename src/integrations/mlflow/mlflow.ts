import type { Exporter } from '../../core/exporter.ts'
import { createLog } from '../../log.ts'
import type { MlflowOptions } from './mlflow-options.ts'
import { createMlflowOutput } from './mlflow-output.ts'

export type { MlflowOptions } from './mlflow-options.ts'

/**
 * An exporter that logs to a run of MLflow: the one that `MLFLOW_RUN_ID` names, or one of its own, which ends with the tracker, FAILED where the process
 * has an exit code by then. What is wrong with the server is told once by the tracker and changes nothing else.
 *
 * @throws ConfigError for a wrong option in code
 * @example
 * const tracker = new EmissionsTracker({ exporters: [createMlflowExporter({ experimentName: 'digits' })] }).start()
 */
export function createMlflowExporter(options: MlflowOptions = {}): Exporter {
  return createMlflowOutput(options, { log: createLog({ level: 'info', logger: options?.logger }) })
}
