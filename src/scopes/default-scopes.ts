import { isMainThread } from 'node:worker_threads'
import { EmissionsTracker } from '../tracker.ts'
import { knownProcessScopes, setProcessScopes, type ScopeSource } from './process-scopes.ts'

/**
 * The tracker that hooks use where they are given none: that of `codecarbon/register`, or else one by configuration alone, which is begun when it is first
 * needed and ends with the process.
 */
export function defaultScopes(): ScopeSource {
  const known = knownProcessScopes()
  if (known !== undefined) return known
  if (!isMainThread) warnOfThread()
  const tracker = new EmissionsTracker().start()
  setProcessScopes(tracker)
  return tracker
}

/** Pools terminate their threads, which nothing can be written in then. */
function warnOfThread(): void {
  process.emitWarning(
    'figures of this worker thread are lost where it is terminated: start the program with node --import codecarbon/register, and its threads are measured with it',
    'CodeCarbonWarning',
  )
}
