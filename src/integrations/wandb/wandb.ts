import { comparisonsFor } from '../../comparisons-for.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Exporter } from '../../core/exporter.ts'
import { createWandbExporter as createExporter, type WandbModule } from '../../exporters/wandb-exporter.ts'

export type { WandbModule } from '../../exporters/wandb-exporter.ts'

/**
 * An exporter that logs to a run of Weights & Biases that the program has begun. Stop the tracker before `wandb.finish()`.
 *
 * @throws ConfigError where there is no `log` in what it is given
 * @example
 * await wandb.init({ project: 'digits' })
 * const tracker = new EmissionsTracker({ exporters: [createWandbExporter(wandb)] }).start()
 */
export function createWandbExporter(wandb: WandbModule): Exporter {
  const given: unknown = wandb
  const isModule = (typeof given === 'object' || typeof given === 'function') && given !== null
  if (!isModule || typeof wandb.log !== 'function')
    throw new ConfigError(
      `createWandbExporter: expected the module of Weights & Biases or a run of it, with a function log, got ${given === null ? 'null' : typeof given}`,
    )
  return createExporter({ wandb, comparisons: (data) => comparisonsFor(data).map(({ text }) => text) })
}
