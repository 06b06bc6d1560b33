import type { ScopeKind } from './work-scope.ts'

const kinds: Readonly<Record<ScopeKind, true>> = {
  task: true,
  job: true,
  request: true,
  training: true,
  inference: true,
  'model call': true,
  test: true,
}

/** Every kind that there is. */
export const scopeKinds: readonly string[] = Object.keys(kinds)

/** Whether there is such a kind. */
export const isScopeKind = (value: unknown): value is ScopeKind =>
  typeof value === 'string' && Object.hasOwn(kinds, value)
