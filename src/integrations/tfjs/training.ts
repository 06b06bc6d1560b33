import type { WorkScope } from '../../scopes/work-scope.ts'
import type { HookScopes } from '../hook-scopes.ts'

/** What is told of a training. */
export interface TrainingOptions {
  /** Tells each epoch by itself, as `epoch`. */
  readonly epochs: boolean
  /** Counts each batch as a functional unit. */
  readonly countBatches: boolean
}

/** A training that goes on: the scope of the whole, and that of the epoch in it. */
export interface Training {
  beginEpoch(): void
  endEpoch(): void
  endBatch(): void
  /** Ends both, the epoch with the same outcome where it was not over. Idempotent. */
  end(outcome?: string): void
}

export function createTraining(
  scopes: HookScopes,
  fit: WorkScope | undefined,
  options: TrainingOptions,
): Training {
  let epoch: WorkScope | undefined
  return {
    beginEpoch() {
      if (options.epochs && fit !== undefined)
        epoch = scopes.begin({ name: 'epoch', kind: 'training', parent: fit })
    },
    endEpoch() {
      epoch?.end()
      epoch = undefined
    },
    endBatch() {
      if (options.countBatches) (epoch ?? fit)?.countFunctionalUnits()
    },
    end(outcome = 'ok') {
      epoch?.end(outcome)
      epoch = undefined
      fit?.end(outcome)
    },
  }
}
