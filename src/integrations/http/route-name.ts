/**
 * Methods that are told by their names; others are `_OTHER`, so that clients cannot make names up.
 * Source: OpenTelemetry semantic conventions, `http.request.method` (RFC 9110, PATCH of RFC 5789, QUERY).
 */
const knownMethods = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
])

/** What a method is told as. */
export const verbOf = (method: string | undefined): string =>
  method !== undefined && knownMethods.has(method) ? method : '_OTHER'

/** The route of a request that no route has matched. */
export const unmatched = '_unmatched'

/** More routes than any program has; what comes after them is told together. */
const mostRoutes = 1000
const overflow = '_other'

/** Names by route by method: as many as there are routes, and most requests make no new text. */
const names = new Map<string, Map<string, string>>()

/**
 * The name of a request's scope: `GET /users/:id`.
 * @param route its template; `undefined` where none has matched, empty where there are no routes
 */
export function requestName(method: string | undefined, route: string | undefined): string {
  const verb = verbOf(method)
  if (route === '') return verb
  let ofVerb = names.get(verb)
  if (ofVerb === undefined) names.set(verb, (ofVerb = new Map()))
  const known = ofVerb.get(route ?? unmatched)
  if (known !== undefined) return known
  if (ofVerb.size >= mostRoutes) return `${verb} ${overflow}`
  const name = `${verb} ${route ?? unmatched}`
  ofVerb.set(route ?? unmatched, name)
  return name
}
