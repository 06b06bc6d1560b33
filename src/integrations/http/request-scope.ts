import type { WorkScope } from '../../scopes/work-scope.ts'
import type { HttpResponse } from './http-types.ts'
import { outcomeOf } from './outcome.ts'
import type { RequestScopes } from './request-scopes.ts'
import { requestName } from './route-name.ts'
import type { RouteMeans } from './route-means.ts'

/** How a framework tells the route of a request. */
export interface Naming<Source = never> {
  /** Of the framework: of two of one kind the later one is believed, as far as it knows a route. */
  readonly kind: string
  /** The template of the route; `undefined` where none has matched, empty where there are no routes. */
  readonly routeOf: (source: Source) => string | undefined
  /** What stands before the routes of frameworks that are mounted in it. */
  readonly mountOf?: ((source: Source) => string) | undefined
}

/** A request that is being measured; one for all hooks that see it. */
export class RequestScope {
  readonly scope: WorkScope
  /** Of the hook whose headers its response has. */
  means: RouteMeans | undefined
  readonly #method: string | undefined
  readonly #owner: RequestScopes
  #naming: Naming
  #source: never
  /** Who has named it before. */
  #outer: Named | undefined
  #isEnded = false

  constructor(
    scope: WorkScope,
    method: string | undefined,
    owner: RequestScopes,
    naming: Naming,
    source: unknown,
  ) {
    this.scope = scope
    this.#method = method
    this.#owner = owner
    this.#naming = naming
    this.#source = source as never
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Lets another hook name it: that of a framework which is mounted in the one so far, or one that sees the same. */
  nameBy(naming: Naming, source: unknown): void {
    if (this.#naming !== naming)
      this.#outer = { naming: this.#naming, source: this.#source, outer: this.#outer }
    this.#naming = naming
    this.#source = source as never
  }

  /** Its name as far as it is known by now. */
  name(): string {
    return requestName(this.#method, routeOf(this.#naming, this.#source, this.#outer))
  }

  /** It is not to be measured after all. */
  exclude(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.scope.discard()
  }

  /** Ends it as its response has ended, which is closed. Nothing is thrown. */
  endWith(response: HttpResponse): void {
    let outcome = 'aborted'
    try {
      outcome = outcomeOf(response)
    } catch (error) {
      this.#owner.failures.failed(error)
    }
    this.end(outcome)
  }

  /** Ends it, once. Nothing is thrown. */
  end(outcome: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#owner.end(this, outcome)
  }
}

/** A naming before another one. */
interface Named {
  readonly naming: Naming
  readonly source: never
  readonly outer: Named | undefined
}

/** That of the innermost framework, or latest hook, that knows one, behind where it is mounted. */
function routeOf(naming: Naming, source: never, outer: Named | undefined): string | undefined {
  const own = naming.routeOf(source)
  if (outer === undefined) return own
  if (own === undefined || own === '') {
    const around = routeOf(outer.naming, outer.source, outer.outer)
    return around === '' ? own : around
  }
  const mount = outer.naming.kind === naming.kind ? '' : (outer.naming.mountOf?.(outer.source) ?? '')
  return mount === '' ? own : mount + own
}
