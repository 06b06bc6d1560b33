import { trackHttpServers } from '../../dist/integrations/http/http.js'
import { carbon as expressCarbon } from '../../dist/integrations/express/express.js'
import { carbon as fastifyCarbon } from '../../dist/integrations/fastify/fastify.js'
import { EmissionsTracker } from '../../dist/index.js'

/** @typedef {import('../../dist/index.js').ScopeSource} ScopeSource */
/** @typedef {{ middleware?: import('express').RequestHandler, plugin?: import('fastify').FastifyPluginCallback }} Measuring */

/**
 * What measures the requests of a server: nothing (`bare`), a histogram of prom-client by route and status (`prom`), this package with a tracker (`ours`), the
 * same with `currentScope` on (`current`), or its own layer alone, with scopes that do nothing (`layer`).
 * @param {string} framework @param {string} variant @returns {Promise<Measuring>}
 */
export async function setUpMeasuring(framework, variant) {
  if (variant === 'bare') return {}
  if (variant === 'prom') return promClient()
  const tracker = variant === 'ours' || variant === 'current' ? startTracker() : emptyScopes
  const options = { tracker, currentScope: variant === 'current' }
  if (framework === 'http') trackHttpServers(options)
  return {
    middleware: expressCarbon(options),
    plugin: Object.assign(
      (
        /** @type {import('fastify').FastifyInstance} */ server,
        /** @type {object} */ _given,
        /** @type {() => void} */ done,
      ) => fastifyCarbon(/** @type {never} */ (server), options, done),
      { [Symbol.for('skip-override')]: true },
    ),
  }
}

function startTracker() {
  return new EmissionsTracker({
    outputMethods: [],
    logLevel: 'error',
    countryIsoCode: 'FRA',
    offline: true,
  }).start()
}

class EmptyScope {
  name = ''
  /** @type {import('../../dist/index.js').ScopeKind} */
  kind = 'request'

  nameAtEnd() {}
  setLabel() {}
  /** @param {string} name */
  rename(name) {
    this.name = name
  }
  countFunctionalUnits() {}
  /** @template T @param {() => T} fn */
  run(fn) {
    return fn()
  }
  addCpu() {}
  end() {}
  discard() {}
  settled() {
    return Promise.resolve(undefined)
  }
}

/** @type {ScopeSource} */
const emptyScopes = { beginScope: () => new EmptyScope() }

/** @returns {Promise<Measuring>} */
async function promClient() {
  const { Histogram } = await import('prom-client')
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Durations of requests',
    labelNames: ['method', 'route', 'status'],
  })
  return {
    middleware(request, response, next) {
      const end = seconds.startTimer()
      response.on('finish', () => {
        const route = request.baseUrl + String(/** @type {{ path?: string }} */ (request.route)?.path)
        end({ method: request.method, route, status: response.statusCode })
      })
      next()
    },
    plugin: Object.assign(
      (
        /** @type {import('fastify').FastifyInstance} */ server,
        /** @type {object} */ _given,
        /** @type {() => void} */ done,
      ) => {
        server.addHook('onResponse', (request, reply, next) => {
          const route = request.routeOptions.url ?? 'none'
          seconds.observe(
            { method: request.method, route, status: reply.statusCode },
            reply.elapsedTime / 1000,
          )
          next()
        })
        done()
      },
      { [Symbol.for('skip-override')]: true },
    ),
  }
}
