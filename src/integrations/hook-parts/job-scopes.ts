import { createHookScopes, type HookScopes } from '../../scopes/hook-scopes.ts'
import { knownProcessScopes, type ScopeSource } from '../../scopes/process-scopes.ts'
import type { ScopeLabels, ScopeRecord, WorkScope } from '../../scopes/work-scope.ts'

/** What the scope of a job is begun with. */
export interface JobScopeOptions {
  readonly name: string
  readonly labels: ScopeLabels
}

/**
 * Begins the scopes of the jobs of one runner. Jobs are part of nothing: what was active when a worker was started has nothing to do with what it
 * works on later. Nothing here throws: what fails is told once, and the jobs run on.
 */
export class JobScopes {
  readonly #scopes: HookScopes

  /**
   * @param hook what it is told of as, such as `codecarbon/bullmq`
   * @throws ConfigError where `tracker` is none
   */
  constructor(hook: string, tracker: ScopeSource | undefined) {
    this.#scopes = createHookScopes(hook, tracker)
  }

  /** Begins a scope; `undefined` where that fails. */
  begin({ name, labels }: JobScopeOptions): WorkScope | undefined {
    return this.#scopes.begin({ name, labels, kind: 'job', parent: null })
  }

  /**
   * The same in a process or thread that runs the jobs of another one, which has the tracker: without the way to it nothing is measured. Whoever knows the way
   * tells the CPU time as well.
   */
  beginInChild({ name, labels }: JobScopeOptions): WorkScope | undefined {
    return this.#scopes.begin({ name, labels, kind: 'job', parent: null }, () => {
      const known = knownProcessScopes()
      if (known === undefined)
        throw new Error(
          'this process runs jobs of another one and does not know its tracker; start that one with node --import codecarbon/register, which its children take over',
        )
      return known
    })
  }

  /** Hands over what a scope has used that has ended, some moments later. */
  tell(scope: WorkScope, onRecord: (record: ScopeRecord) => unknown): void {
    this.#scopes.tell(scope, onRecord)
  }
}
