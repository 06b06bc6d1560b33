import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect } from 'node:net'
import express, { Router, type Express } from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest'
import { currentScope } from '../../../src/index.ts'
import { carbon, scopeOf, type ExpressOptions } from '../../../src/integrations/express/express.ts'
import { httpHook } from '../../../src/integrations/express/hook.ts'
import { carbon as fastifyCarbon } from '../../../src/integrations/fastify/fastify.ts'
import { trackHttpServers } from '../../../src/integrations/http/http.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { recordScopes, type RecordedScopes } from '../http/recorded-scopes.ts'
import { ask, serve, type Served } from '../http/serve.ts'

async function tracked(
  fill: (app: Express) => void,
  options: ExpressOptions = {},
): Promise<Served & { readonly scopes: RecordedScopes }> {
  const scopes = recordScopes()
  const app = express()
  app.set('env', 'test')
  app.use(carbon({ tracker: scopes, ...options }))
  fill(app)
  return { ...(await serve(app)), scopes }
}

describe('a request to Express', () => {
  it('is a scope by its method and route, never by its address', async () => {
    const { url, scopes } = await tracked((app) => {
      app.get('/', (_request, response) => void response.send('root'))
      app.get('/users/:id', (request, response) => void response.json(request.params.id))
      app.post(['/a', '/b'], (_request, response) => void response.sendStatus(201))
      app.get(/^\/exp.*/, (_request, response) => void response.send('expression'))
    })
    expect(await ask(url)).toBe('200 root')
    expect(await ask(`${url}/users/42?x=1`)).toBe('200 "42"')
    expect(await ask(`${url}/a`, { method: 'POST' })).toBe('201 Created')
    await ask(`${url}/expected`)
    await ask(`${url}/users/42`, { method: 'HEAD' })
    expect(await scopes.untilEnded(5)).toEqual([
      'GET / 2xx',
      'GET /users/:id 2xx',
      'POST /a|/b 2xx',
      'GET /^\\/exp.*/ 2xx',
      'HEAD /users/:id 2xx',
    ])
  })

  it('has the templates of the routers around its route, too', async () => {
    const { url, scopes } = await tracked((app) => {
      const users = Router()
      users.get('/', (_request, response) => void response.send('all'))
      users.get('/:id', (_request, response) => void response.send('one'))
      const tenants = Router().use('/users', users)
      app.use('/api/v1', Router().use('/tenants/:tenant', tenants))
    })
    for (const tenant of ['acme', 'other', '7'])
      expect(await ask(`${url}/api/v1/tenants/${tenant}/users/42`)).toBe('200 one')
    await ask(`${url}/api/v1/tenants/acme/users`)
    expect(await scopes.untilEnded(4)).toEqual([
      ...Array<string>(3).fill('GET /api/v1/tenants/:tenant/users/:id 2xx'),
      'GET /api/v1/tenants/:tenant/users 2xx',
    ])
  })

  it('has the templates of routers whose paths are written with escapes and quotes', async () => {
    const { port, scopes } = await tracked((app) => {
      const users = Router().get('/users/:id', (_request, response) => void response.send('one'))
      app.use('/x\\{y', users)
      app.use('/of/:"tenant-id"', users)
    })
    for (const path of ['/x{y/users/1', '/of/42/users/1']) {
      const socket = connect(port, '127.0.0.1').resume()
      socket.write(`GET ${path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n`)
      await once(socket, 'close')
    }
    expect(await scopes.untilEnded(2)).toEqual([
      'GET /x\\{y/users/:id 2xx',
      'GET /of/:"tenant-id"/users/:id 2xx',
    ])
  })

  it('is left alone by what Express tells that is not as expected', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const { url, scopes } = await tracked((app) => {
      app.get('/users/:id', (_request, response) => void response.send('one'))
    })
    channel('tracing:express.router.request:start').publish(undefined)
    expect(await ask(`${url}/users/1`)).toBe('200 one')
    expect(await scopes.untilEnded(1)).toEqual(['GET /users/:id 2xx'])
    expect(warn).toHaveBeenCalledOnce()
  })

  it('that goes wrong, or nowhere, has its own outcome', async () => {
    const { url, scopes } = await tracked((app) => {
      app.get('/throws', () => {
        throw new Error('as it should')
      })
      app.get('/rejects', async () => Promise.reject(Object.assign(new Error('no'), { status: 403 })))
    })
    for (const path of ['/throws', '/rejects', '/else/42']) await ask(url + path)
    expect(await scopes.untilEnded(3)).toEqual(['GET /throws 5xx', 'GET /rejects 4xx', 'GET _unmatched 4xx'])
  })

  it('is aborted where its client goes away, with the route it had', async () => {
    const { port, scopes } = await tracked((app) => {
      app.get('/events/:id', (_request, response) => {
        response.write('data: 1\n\n')
        socket.destroy()
      })
    })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /events/42 HTTP/1.1\r\nHost: here\r\n\r\n')
    expect(await scopes.untilEnded(1)).toEqual(['GET /events/:id aborted'])
  })

  it('is left alone where its route is excluded', async () => {
    const { url, scopes } = await tracked(
      (app) => {
        app.use(
          '/api',
          Router().get('/health', (_request, response) => void response.send('well')),
        )
        app.get('/users/:id', (_request, response) => void response.send('one'))
      },
      { exclude: ['/api/health'] },
    )
    expect(await ask(`${url}/api/health`)).toBe('200 well')
    await ask(`${url}/users/1`)
    expect(await scopes.untilEnded(1)).toEqual(['GET /users/:id 2xx'])
  })

  it('has the name that the program gives it', async () => {
    const options: ExpressOptions = {
      route: (request) => (request.url === '/graphql' ? '/graphql' : undefined),
    }
    const { url, scopes } = await tracked(
      (app) => {
        app.use('/graphql', (_request, response) => void response.send('{}'))
        app.get('/users/:id', (_request, response) => void response.send('one'))
      },
      { route: (request) => options.route?.({ ...request, url: request.originalUrl } as never) },
    )
    await ask(`${url}/graphql`)
    await ask(`${url}/users/1`)
    expect(await scopes.untilEnded(2)).toEqual(['GET /graphql 2xx', 'GET /users/:id 2xx'])
  })

  it.each([[true], [false]])(
    'is the current scope of its handlers where that is asked for: %s',
    async (asked) => {
      const told: unknown[] = []
      const { url, scopes } = await tracked(
        (app) => {
          app.use(express.json())
          app.post('/', async (request, response) => {
            await Promise.resolve()
            told.push(currentScope()?.kind, scopeOf(request)?.kind)
            response.json(request.body)
          })
        },
        { currentScope: asked },
      )
      const headers = { 'content-type': 'application/json' }
      expect(await ask(url, { method: 'POST', body: '{"a":1}', headers })).toBe('200 {"a":1}')
      await scopes.untilEnded(1)
      expect(told).toEqual([asked ? 'request' : undefined, 'request'])
    },
  )

  it('tells the mean of its route in headers where that is asked for', async () => {
    const { url, scopes } = await tracked(
      (app) => void app.get('/users/:id', (_request, response) => void response.send('one')),
      { serverTiming: true },
    )
    await ask(`${url}/users/1`)
    await scopes.untilEnded(1)
    const { headers } = await fetch(`${url}/users/2`)
    expect(headers.get('server-timing')).toBe('carbon;desc="mean mgCO2eq of this route";dur=0.0123')
  })
})

describe('one request is one scope', () => {
  it('where the servers are tracked, and the app has the middleware twice', async () => {
    const scopes = recordScopes()
    const tracking = trackHttpServers({ tracker: scopes })
    onTestFinished(() => tracking.stop())
    const { url } = await tracked(
      (app) => {
        app.use(carbon({ tracker: scopes }))
        app.use(
          '/api',
          Router().get('/users/:id', (_request, response) => void response.send('one')),
        )
      },
      { tracker: scopes },
    )
    await ask(`${url}/api/users/1`)
    expect(await scopes.untilEnded(1)).toEqual(['GET /api/users/:id 2xx'])
    expect(scopes.begun()).toBe(1)
  })

  it('that the app excludes or adds headers to, where something else has begun it', async () => {
    const scopes = recordScopes()
    const tracking = trackHttpServers({ tracker: scopes })
    onTestFinished(() => tracking.stop())
    const seen: unknown[] = []
    const middleware = carbon({ tracker: scopes, exclude: ['/health'], serverTiming: true })
    const { url } = await tracked(
      (app) => {
        app.use(middleware, middleware)
        app.get('/health', (request, response) => {
          seen.push(scopeOf(request))
          response.send('well')
        })
        app.get('/users/:id', (_request, response) => void response.send('one'))
      },
      { tracker: scopes },
    )
    const { headers: none } = await fetch(`${url}/health`)
    await ask(`${url}/users/1`)
    expect(await scopes.untilEnded(2)).toEqual(['discarded', 'GET /users/:id 2xx'])
    const { headers } = await fetch(`${url}/users/2`)
    await scopes.untilEnded(3)
    expect(none.get('server-timing')).toBeNull()
    expect(headers.get('server-timing')).toBe('carbon;desc="mean mgCO2eq of this route";dur=0.0123')
    expect(seen).toEqual([undefined])
    expect(scopes.begun()).toBe(3)
  })

  it('where Fastify is mounted in Express, with the route of both', async () => {
    const { url, scopes } = await tracked((app) => {
      const inner = Fastify()
      inner.register(fastifyCarbon, {
        tracker: {
          beginScope: () => {
            throw new Error('there is one')
          },
        },
      })
      inner.get('/users/:id', () => Promise.resolve('one'))
      onTestFinished(() => inner.close())
      app.use('/inner', async (request, response) => {
        await inner.ready()
        inner.routing(request, response)
      })
    })
    expect(await ask(`${url}/inner/users/1`)).toBe('200 one')
    expect(await scopes.untilEnded(1)).toEqual(['GET /inner/users/:id 2xx'])
  })

  it('where Koa without a router is mounted in Express', async () => {
    const inner = new Koa().use((context) => {
      context.body = 'koa'
    })
    const { url, scopes } = await tracked((app) => void app.get('/koa', inner.callback()))
    expect(await ask(`${url}/koa`)).toBe('200 koa')
    expect(await scopes.untilEnded(1)).toEqual(['GET /koa 2xx'])
  })
})

it('the hook of register measures all servers, with the routes that Express leaves', async () => {
  const scopes = recordScopes()
  setProcessScopes(scopes)
  onTestFinished(() => setProcessScopes(undefined))
  httpHook.install({}, { name: 'node:http', version: undefined })
  httpHook.install({}, { name: 'node:http', version: undefined })
  const app = express()
  app.use(
    '/api',
    Router().get('/users/:id', (_request, response) => void response.send('one')),
  )
  const { url } = await serve(app)
  const { url: plain } = await serve((_request, response) => void response.end())
  await ask(`${url}/api/users/1`)
  await ask(`${url}/else`)
  await ask(plain)
  expect(await scopes.untilEnded(3)).toEqual(['GET /api/users/:id 2xx', 'GET _unmatched 4xx', 'GET 2xx'])
})

it('a middleware is what Express takes', () => {
  expectTypeOf(carbon()).toExtend<express.RequestHandler>()
  expectTypeOf<express.Request>().toExtend<Parameters<NonNullable<ExpressOptions['route']>>[0]>()
})
