import { scopeStorage } from '../../scopes/current-scope.ts'
import { defaultScopes } from '../../scopes/default-scopes.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { CurrentScope, ScopeOptions } from '../../scopes/work-scope.ts'
import { addCarbonHeaders, type HeaderOptions } from './carbon-headers.ts'
import { endWithSocket } from './end-with-socket.ts'
import { Failures } from './failures.ts'
import type { BareRequest, HttpRequest, HttpResponse } from './http-types.ts'
import { openOf, setOpen } from './open-requests.ts'
import { checkRequestOptions, isCurrentScopeCheap, type RequestOptions } from './request-options.ts'
import { RequestScope, type Naming } from './request-scope.ts'
import { RouteFilter } from './route-filter.ts'
import { RouteMeans } from './route-means.ts'
import { requestName, verbOf } from './route-name.ts'
import { withRoute } from './with-route.ts'

/** The requests that one hook measures. Only the constructor throws. */
export class RequestScopes {
  readonly #naming: Naming
  readonly #tracker: ScopeSource | undefined
  readonly #filter: RouteFilter | undefined
  readonly #headers: HeaderOptions
  readonly #means: RouteMeans | undefined
  /** What has gone wrong with them. */
  readonly failures: Failures
  /** Whether `currentScope()` tells requests. */
  readonly isCurrent: boolean

  /**
   * @param functionName of what the user has called, for messages
   * @throws ConfigError for a wrong option
   */
  constructor(hook: string, options: RequestOptions, naming: Naming, functionName = 'carbon') {
    const door = `${hook}: ${functionName}`
    checkRequestOptions(door, options)
    const { tracker, route, currentScope = isCurrentScopeCheap } = options
    const { serverTiming = false, emissionsHeader = false } = options
    this.failures = new Failures(hook)
    this.#naming = route === undefined ? naming : withRoute(naming, route, this.failures)
    this.#tracker = tracker
    this.#filter =
      options.include === undefined && options.exclude === undefined
        ? undefined
        : new RouteFilter(door, options)
    this.#headers = { serverTiming, emissionsHeader }
    this.#means = serverTiming || emissionsHeader ? new RouteMeans() : undefined
    this.isCurrent = currentScope
  }

  /**
   * Begins to measure a request, or goes on where another hook has begun, and sees to its end.
   * @param source what the naming and the functions of the user are given
   * @returns `undefined` where it is not measured
   */
  begin(request: HttpRequest, response: HttpResponse, source: unknown): RequestScope | undefined {
    try {
      const known = openOf(request)
      if (known !== undefined) {
        const joined = this.#join(known, request, source)
        if (joined !== undefined) this.#addHeaders(joined, response)
        return joined
      }
      // A connection that has become something else, such as a WebSocket, is no request, and has no end as such.
      if (this.failures.isOff || (request as { upgrade?: boolean }).upgrade === true) return undefined
      const open = this.#open(request, source)
      if (open === undefined) return undefined
      setOpen(response, open)
      response.on('close', endClosed)
      if (response.socket === null) endWithSocket(request.socket, open)
      this.#addHeaders(open, response)
      return open
    } catch (error) {
      this.failures.failed(error)
      return undefined
    }
  }

  /** The same for a request without a server of Node; whoever begins it ends it. */
  beginBare(request: BareRequest, source: unknown): RequestScope | undefined {
    try {
      const known = openOf(request)
      if (known !== undefined) return this.#join(known, request, source)
      return this.failures.isOff ? undefined : this.#open(request, source)
    } catch (error) {
      this.failures.failed(error)
      return undefined
    }
  }

  /** Runs what follows of a request inside of its scope, where that is asked for. */
  run<T>(open: RequestScope | undefined, next: () => T): T {
    return open !== undefined && this.isCurrent ? open.scope.run(next) : next()
  }

  /** Runs what follows of this event inside of its request, where that is asked for, for hooks that have no function to call. */
  enter(request: HttpRequest): void {
    if (!this.isCurrent) return
    const scope = openOf(request)?.scope
    // Before Node 24, what an event of a connection has entered is still entered at the next one.
    if (scope !== undefined || scopeStorage.getStore()?.kind === 'request')
      scopeStorage.enterWith(scope as CurrentScope)
  }

  /** Ends the scope of a request under the name that is known by now. */
  end(open: RequestScope, outcome: string): void {
    const { scope } = open
    try {
      const name = open.name()
      if (name !== scope.name) scope.rename(name)
      scope.end(outcome)
      open.means?.sample(name, scope)
      this.failures.passed()
    } catch (error) {
      scope.end(outcome)
      this.failures.failed(error)
    }
  }

  #join(known: RequestScope | null, request: BareRequest, source: unknown): RequestScope | undefined {
    if (known === null) return undefined
    known.nameBy(this.#naming, source)
    if (this.#filter === undefined || this.failures.isOff) return known
    const isTaken = this.#filter.takes(request, source)
    this.failures.passed()
    if (isTaken) return known
    setOpen(request, null)
    known.exclude()
    return undefined
  }

  #open(request: BareRequest, source: unknown): RequestScope | undefined {
    if (this.#filter?.takes(request, source) === false) {
      setOpen(request, null)
      return undefined
    }
    const { method } = request
    const scope = (this.#tracker ?? defaultScopes()).beginScope(optionsOf(method))
    const open = new RequestScope(scope, method, this, this.#naming, source)
    scope.nameAtEnd(open)
    setOpen(request, open)
    return open
  }

  /** Those of the first hook that asks for some. */
  #addHeaders(open: RequestScope, response: HttpResponse): void {
    const means = this.#means
    if (means === undefined || open.means !== undefined) return
    open.means = means
    const writeHead = response.writeHead.bind(response) as (...args: never[]) => never
    let areSet = false
    // A response writes its head through this, also where nobody calls it; `on-headers` does the same.
    response.writeHead = (...args: never[]) => {
      let head = args
      try {
        // A head is written again where the first one was wrong.
        const grams = areSet || response.headersSent ? undefined : means.of(open.name())
        if (grams !== undefined) {
          head = addCarbonHeaders(response, args, grams, this.#headers)
          areSet = head === args
        }
      } catch (error) {
        this.failures.failed(error)
      }
      return writeHead(...head)
    }
  }
}

/** Of a response that is closed, which it is once, whatever has happened. One function for all of them. */
function endClosed(this: HttpResponse): void {
  // Its `req` need not be the request that a middleware was given.
  openOf(this)?.endWith(this)
}

const optionsByVerb = new Map<string, ScopeOptions>()

/** What scopes of a method begin with: their route is known later. A request is part of nothing, whoever has begun to listen. */
const optionsOf = (method = ''): ScopeOptions => optionsByVerb.get(method) ?? optionsOfVerb(verbOf(method))

function optionsOfVerb(verb: string): ScopeOptions {
  const known = optionsByVerb.get(verb)
  if (known !== undefined) return known
  const name = requestName(verb, undefined)
  const options: ScopeOptions = Object.freeze({ name, kind: 'request', parent: null })
  optionsByVerb.set(verb, options)
  return options
}
