import { EmissionsTracker } from '../tracker.ts'
import { knownProcessScopes, setProcessScopes, type ScopeSource } from './process-scopes.ts'

/**
 * The tracker that hooks use where they are given none: that of `codecarbon/register`, or else one by configuration alone, which is begun when it is first
 * needed and ends with the process.
 */
export function defaultScopes(): ScopeSource {
  const known = knownProcessScopes()
  if (known !== undefined) return known
  const tracker = new EmissionsTracker().start()
  setProcessScopes(tracker)
  return tracker
}
