import type { ScopeLabels } from '../../scopes/work-scope.ts'
import { createNameBound } from '../hook-parts/bounded-names.ts'

/** Names of jobs may be anything in BullMQ, and there may be a queue for each customer. */
export const boundJobName: (name: unknown) => string = createNameBound()
const boundQueueName = createNameBound()

export const labelsOf = (queueName: unknown): ScopeLabels => ({ queue: boundQueueName(queueName) })
