import type { ScopeRecord, WorkScope } from '../../scopes/work-scope.ts'
import type { HookScopes } from '../../scopes/hook-scopes.ts'

/** What is told of a training. */
export interface TrainingOptions {
  /** Tells each epoch by itself, as `epoch`. */
  readonly epochs: boolean
  /** Counts each batch as a functional unit. */
  readonly countBatches: boolean
  readonly onRecord: ((record: ScopeRecord) => void) | undefined
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
  let hasEnded = false
  const end = (scope: WorkScope | undefined, outcome: string): void => {
    scope?.end(outcome)
    if (scope !== undefined && options.onRecord !== undefined) void tell(scopes, scope, options.onRecord)
  }
  const endEpoch = (outcome: string): void => {
    end(epoch, outcome)
    epoch = undefined
  }
  return {
    beginEpoch() {
      if (options.epochs && fit !== undefined)
        epoch = scopes.begin({ name: 'epoch', kind: 'training', parent: fit })
    },
    endEpoch() {
      endEpoch('ok')
    },
    endBatch() {
      if (options.countBatches) (epoch ?? fit)?.countFunctionalUnits()
    },
    end(outcome = 'ok') {
      if (hasEnded) return
      hasEnded = true
      endEpoch(outcome)
      end(fit, outcome)
    },
  }
}

async function tell(
  scopes: HookScopes,
  scope: WorkScope,
  onRecord: (record: ScopeRecord) => void,
): Promise<void> {
  const record = await scope.settled().catch(() => undefined)
  if (record !== undefined)
    scopes.attempt(() => {
      onRecord(record)
    })
}
