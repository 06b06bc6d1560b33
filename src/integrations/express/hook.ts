import type { LibraryHook } from '../register/library-hook.ts'
import type { Naming } from '../http/request-scope.ts'
import { RequestScopes } from '../http/request-scopes.ts'
import { watchServers } from '../http/server-events.ts'
import { expressNaming } from './express-naming.ts'
import type { ExpressRequest } from './express-request.ts'
import { mountPaths } from './mount-paths.ts'

/** Routes where Express was at work, which leaves `originalUrl` behind, and none elsewhere. */
const naming: Naming<ExpressRequest> = {
  ...expressNaming,
  routeOf: (request) => (request.originalUrl === undefined ? '' : expressNaming.routeOf(request)),
}

let isOn = false

/** Measures the requests of all servers of `node:http`, with the routes of Express. Other frameworks name theirs by hooks of their own. */
export const httpHook: LibraryHook = {
  name: 'http',
  packages: [],
  install() {
    if (isOn) return
    isOn = true
    mountPaths.watch()
    watchServers(new RequestScopes('codecarbon: http', {}, naming))
  },
}
