import type { ScopeLabels } from '../../scopes/work-scope.ts'
import { createJobNameBound } from '../hook-parts/job-name-bound.ts'

/** Names of jobs may be anything in BullMQ, and there may be a queue for each customer. */
export const boundJobName: (name: unknown) => string = createJobNameBound()
const boundQueueName = createJobNameBound()

export const labelsOf = (queueName: unknown): ScopeLabels => ({ queue: boundQueueName(queueName) })
