import { connect as connectHttp2 } from 'node:http2'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { currentScope } from '../../../src/index.ts'
import { carbon, scopeOf, type FastifyOptions } from '../../../src/integrations/fastify/fastify.ts'
import { httpHook } from '../../../src/integrations/express/hook.ts'
import { fastifyHook } from '../../../src/integrations/fastify/hook.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { recordScopes, type RecordedScopes } from '../http/recorded-scopes.ts'
import { ask } from '../http/serve.ts'

interface Tracked {
  readonly app: FastifyInstance
  readonly scopes: RecordedScopes
  readonly url: string
  readonly port: number
}

async function tracked(fill: (app: FastifyInstance) => void, options: FastifyOptions = {}): Promise<Tracked> {
  const scopes = recordScopes()
  const app = Fastify({ forceCloseConnections: true })
  app.register(carbon, { tracker: scopes, ...options })
  fill(app)
  return { app, scopes, ...(await listen(app)) }
}

async function listen(app: FastifyInstance): Promise<{ url: string; port: number }> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => app.close())
  const { port } = app.server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port }
}

describe('a request to Fastify', () => {
  it('is a scope by its method and route, of routes beside the plugin and below', async () => {
    const { url, scopes } = await tracked((app) => {
      app.get('/users/:id', () => 'one')
      app.register(
        async (below) => {
          below.post('/files/*', (_request, reply) => reply.code(201).send('made'))
          return Promise.resolve()
        },
        { prefix: '/api' },
      )
    })
    expect(await ask(`${url}/users/42?x=1`)).toBe('200 one')
    expect(await ask(`${url}/api/files/a/b`, { method: 'POST' })).toBe('201 made')
    await ask(`${url}/users/42`, { method: 'HEAD' })
    expect(await scopes.untilEnded(3)).toEqual([
      'GET /users/:id 2xx',
      'POST /api/files/* 2xx',
      'HEAD /users/:id 2xx',
    ])
  })

  it('that goes wrong, or nowhere, has its own outcome', async () => {
    const { url, scopes } = await tracked((app) => {
      app.get('/throws', () => {
        throw new Error('as it should')
      })
      app.post('/', { schema: { body: { type: 'object', required: ['a'] } } }, () => 'fine')
    })
    const init = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
    await ask(`${url}/throws`)
    await ask(url, init)
    await ask(`${url}/else/42`)
    expect(await scopes.untilEnded(3)).toEqual(['GET /throws 5xx', 'POST / 4xx', 'GET _unmatched 4xx'])
  })

  it('is measured to the end of a stream, or until its client goes away', async () => {
    const { port, url, scopes } = await tracked((app) => {
      app.get('/stream', (_request, reply) => {
        reply.hijack()
        reply.raw.write('begin')
        setImmediate(() => reply.raw.end('end'))
      })
      app.get('/events', (_request, reply) => {
        reply.hijack()
        reply.raw.write('data')
        socket.destroy()
      })
    })
    expect(await ask(`${url}/stream`)).toBe('200 beginend')
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /events HTTP/1.1\r\nHost: here\r\n\r\n')
    expect(await scopes.untilEnded(2)).toEqual(['GET /stream 2xx', 'GET /events aborted'])
  })

  it('is left alone where its route is excluded, and named by the program where that knows better', async () => {
    const { url, scopes } = await tracked(
      (app) => {
        app.get('/health', () => 'well')
        app.all('/*', () => 'page')
      },
      { exclude: ['/health'], route: ({ raw }) => (raw.url === '/en' ? '/:language' : undefined) },
    )
    for (const path of ['/health', '/en', '/other']) await ask(url + path)
    expect(await scopes.untilEnded(2)).toEqual(['GET /:language 2xx', 'GET /* 2xx'])
  })

  it.each([[true], [false]])(
    'is the current scope of its handlers where that is asked for: %s',
    async (asked) => {
      const told: unknown[] = []
      const { url, scopes } = await tracked(
        (app) => {
          app.post('/', async (request) => {
            await Promise.resolve()
            told.push(currentScope()?.kind, scopeOf(request.raw)?.kind)
            return request.body
          })
        },
        { currentScope: asked },
      )
      const init = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } }
      expect(await ask(url, init)).toBe('200 {"a":1}')
      await scopes.untilEnded(1)
      expect(told).toEqual([asked ? 'request' : undefined, 'request'])
    },
  )

  it('that is injected is measured like one of a client', async () => {
    const { app, scopes } = await tracked((filled) => void filled.get('/users/:id', () => 'one'))
    expect((await app.inject('/users/1')).payload).toBe('one')
    expect(await scopes.untilEnded(1)).toEqual(['GET /users/:id 2xx'])
  })

  it('of HTTP/2 is measured, and aborted where its stream is', async () => {
    const scopes = recordScopes()
    const app = Fastify({ http2: true })
    app.register(carbon, { tracker: scopes, serverTiming: true })
    app.get('/users/:id', () => 'one')
    app.get('/events', (_request, reply) => {
      reply.hijack()
      reply.raw.write('data')
    })
    const { url } = await listen(app as never)
    const client = connectHttp2(url)
    onTestFinished(() => client.destroy())
    const first = client.request({ ':path': '/users/42' }).resume()
    await once(first, 'end')
    await scopes.untilEnded(1)
    const second = client.request({ ':path': '/users/42' }).resume()
    const [headers] = (await once(second, 'response')) as [Record<string, unknown>]
    expect(headers['server-timing']).toBe('carbon;desc="mean mgCO2eq of this route";dur=0.0123')
    const third = client.request({ ':path': '/events' }).resume()
    await once(third, 'response')
    third.close(8)
    expect(await scopes.untilEnded(3)).toEqual([
      'GET /users/:id 2xx',
      'GET /users/:id 2xx',
      'GET /events aborted',
    ])
  })
})

it('a wrong option stops the server from getting ready', async () => {
  const app = Fastify()
  app.register(carbon, { exclude: ['health'] })
  await expect(app.ready()).rejects.toThrow('option exclude: expected a route template')
})

it('the hook of register alone measures what matches a route, is refused, or matches none', async () => {
  const scopes = recordScopes()
  setProcessScopes(scopes)
  onTestFinished(() => setProcessScopes(undefined))
  fastifyHook.install({}, { name: 'fastify', version: '5.12.8' })
  const app = Fastify()
  app.get('/users/:id', () => 'one')
  app.post('/', { schema: { body: { type: 'object', required: ['a'] } } }, () => 'fine')
  const { url } = await listen(app)
  await ask(`${url}/users/1`)
  await ask(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })
  await ask(`${url}/else/42`)
  expect(await scopes.untilEnded(3)).toEqual(['GET /users/:id 2xx', 'POST / 4xx', 'GET _unmatched 4xx'])
})

it('the hooks of register measure all servers, with their routes', async () => {
  const scopes = recordScopes()
  setProcessScopes(scopes)
  onTestFinished(() => setProcessScopes(undefined))
  httpHook.install({}, { name: 'node:http', version: undefined })
  fastifyHook.install({}, { name: 'fastify', version: '5.12.8' })
  const app = Fastify()
  app.get('/users/:id', async () => Promise.resolve('one'))
  const { url } = await listen(app)
  await ask(`${url}/users/1`)
  await ask(`${url}/else/42`)
  expect(await scopes.untilEnded(2)).toEqual(['GET /users/:id 2xx', 'GET _unmatched 4xx'])
  const http2App = Fastify({ http2: true })
  http2App.get('/users/:id', () => 'one')
  const { url: http2Url } = await listen(http2App as never)
  const client = connectHttp2(http2Url)
  onTestFinished(() => client.destroy())
  client.request({ ':path': '/users/42' }).resume()
  const ended = await scopes.untilEnded(3)
  expect(ended.at(-1)).toBe('GET /users/:id 2xx')
})
