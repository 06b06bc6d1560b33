import type { CurrentScope } from '../../scopes/work-scope.ts'
import type { RequestScope } from './request-scope.ts'

/**
 * Where the scope of a request stands at the request and at its response, for all copies of this package in a process; with a number that changes when what is there does. A
 * WeakMap would leave requests alone, and costs a server of Express a tenth of its requests a second, since each garbage collection walks it.
 */
const key = Symbol.for('codecarbon.request.1')

/** A request that some hook has seen, or the response of one that is measured. */
interface Seen {
  [key]?: RequestScope | null
}

/** The scope of a request; `null` where it is not to be measured, `undefined` where no hook has seen it. */
export const openOf = (request: object): RequestScope | null | undefined => (request as Seen)[key]

/** Says so of a request, or of its response. */
export function setOpen(request: object, open: RequestScope | null): void {
  const seen: Seen = request
  seen[key] = open
}

/**
 * The scope of a request of Node (`ctx.req` of Koa, `request.raw` of Fastify, `c.env.incoming` of Hono), which costs nothing, unlike `currentScope()`.
 * @example
 * scopeOf(request)?.setLabel('tenant', tenant)
 */
export const scopeOf = (request: object): CurrentScope | undefined => openOf(request)?.scope
