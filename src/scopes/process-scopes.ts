import type { ScopeOptions, WorkScope } from './work-scope.ts'

/** Where scopes are begun: a tracker, or what stands for that of a parent process. */
export interface ScopeSource {
  beginScope(options: ScopeOptions): WorkScope
}

/** One for all copies of this package in a process. */
const key = Symbol.for('codecarbon.process-scopes')
const holder = globalThis as { [key]?: ScopeSource | undefined }

/** Where the scopes of this process go of whose tracker nothing is said, if anybody has set it. */
export const knownProcessScopes = (): ScopeSource | undefined => holder[key]

/** Says where they go; `undefined`: nowhere until it is said again. */
export function setProcessScopes(source: ScopeSource | undefined): void {
  holder[key] = source
}
