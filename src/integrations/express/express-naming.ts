import type { Naming } from '../http/request-scope.ts'
import type { ExpressRequest } from './express-request.ts'
import { mountPaths } from './mount-paths.ts'

/** By what Express leaves on the request, which it does late: read it at the end. */
export const expressNaming: Naming<ExpressRequest> = {
  kind: 'express',
  routeOf(request) {
    const path = pathOf(request.route?.path)
    if (path === undefined) return undefined
    const mount = mountPaths.templateOf(request)
    if (mount === '') return path
    return path === '/' ? mount : mount + path
  },
  mountOf: (request) => mountPaths.templateOf(request),
}

function pathOf(path: unknown): string | undefined {
  if (path === undefined || typeof path === 'string') return path
  if (Array.isArray(path)) return path.map(String).join('|')
  return path instanceof RegExp ? String(path) : undefined
}
