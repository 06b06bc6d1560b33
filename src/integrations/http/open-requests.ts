import type { CurrentScope } from '../../scopes/work-scope.ts'
import type { RequestScope } from './request-scope.ts'

/** One for all copies of this package in a process; with a number that changes when what it holds does. */
const key = Symbol.for('codecarbon.http-requests.1')
const holder = globalThis as { [key]?: WeakMap<object, RequestScope | null> }

/** Requests that some hook has seen: with their scopes, or `null` where they are not to be measured. */
export const openRequests: WeakMap<object, RequestScope | null> = (holder[key] ??= new WeakMap())

/**
 * The scope of a request of Node (`ctx.req` of Koa, `request.raw` of Fastify, `c.env.incoming` of Hono), which costs nothing, unlike `currentScope()`.
 * @example
 * scopeOf(request)?.setLabel('tenant', tenant)
 */
export const scopeOf = (request: object): CurrentScope | undefined => openRequests.get(request)?.scope
