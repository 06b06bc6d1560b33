import { connect } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { describe, expect, it, onTestFinished } from 'vitest'
import { currentScope } from '../../../src/index.ts'
import { httpHook } from '../../../src/integrations/express/hook.ts'
import { honoHook } from '../../../src/integrations/hono/hook.ts'
import { carbon, scopeOf, type HonoOptions } from '../../../src/integrations/hono/hono.ts'
import { setProcessScopes } from '../../../src/scopes/process-scopes.ts'
import { recordScopes, type RecordedScopes } from '../http/recorded-scopes.ts'
import { ask, serve, type Served } from '../http/serve.ts'

async function tracked(
  fill: (app: Hono) => void,
  options: HonoOptions = {},
): Promise<Served & { readonly scopes: RecordedScopes; readonly app: Hono }> {
  const scopes = recordScopes()
  const app = new Hono()
  app.use(carbon({ tracker: scopes, ...options }))
  fill(app)
  return { ...(await serve(toListener(app))), scopes, app }
}

function toListener(app: Hono): ReturnType<typeof getRequestListener> {
  app.onError((_error, context) => context.text('wrong', 500))
  return getRequestListener(app.fetch)
}

describe('a request to Hono', () => {
  it('is a scope by its method, route and outcome', async () => {
    const { url, scopes } = await tracked((app) => {
      app.use('/api/*', (_context, next) => next())
      app.get('/users/:id', (context) => context.text(context.req.param('id')))
      app.route(
        '/api/:tenant',
        new Hono().get('/files/*', (context) => context.text('file')),
      )
      app.get('/throws', () => {
        throw new Error('as it should')
      })
    })
    expect(await ask(`${url}/users/42?x=1`)).toBe('200 42')
    expect(await ask(`${url}/api/acme/files/a/b`)).toBe('200 file')
    for (const path of ['/throws', '/else/42', '/api/else']) await ask(url + path)
    expect(await scopes.untilEnded(5)).toEqual([
      'GET /users/:id 2xx',
      'GET /api/:tenant/files/* 2xx',
      'GET /throws 5xx',
      'GET _unmatched 4xx',
      'GET _unmatched 4xx',
    ])
  })

  it('is measured to the end of a stream, or until its client goes away', async () => {
    let finish = (): void => undefined
    const { url, port, scopes } = await tracked((app) => {
      app.get('/stream', (context) =>
        stream(context, async (out) => {
          await out.write('begin')
          await new Promise<void>((resolve) => (finish = resolve))
          await out.write('end')
        }),
      )
    })
    const response = await fetch(`${url}/stream`)
    const reader = response.body?.getReader()
    await reader?.read()
    expect(scopes.open()).toBe(1)
    finish()
    while ((await reader?.read())?.done === false);
    await scopes.untilEnded(1)
    const socket = connect(port, '127.0.0.1').once('data', () => void socket.destroy())
    socket.write('GET /stream HTTP/1.1\r\nHost: here\r\n\r\n')
    expect(await scopes.untilEnded(2)).toEqual(['GET /stream 2xx', 'GET /stream aborted'])
    finish()
  })

  it('without a server of Node is measured until its handlers have returned', async () => {
    const { app, scopes } = await tracked(
      (filled) => {
        filled.get('/users/:id', (context) => context.text(String(scopeOf(context.req.raw)?.kind)))
        filled.get('/health', (context) => context.text('well'))
      },
      { exclude: ['/health'] },
    )
    expect(await (await app.request('/users/1')).text()).toBe('request')
    expect(await (await app.request('/health')).text()).toBe('well')
    await app.request('http://there/else')
    expect(scopes.ended).toEqual(['GET /users/:id 2xx', 'GET _unmatched 4xx'])
  })

  it('of a method that its client makes up begins as one of few', async () => {
    const begun = new Set<object>()
    const scopes = recordScopes()
    const tracker: typeof scopes = {
      ...scopes,
      beginScope(options) {
        begun.add(options)
        return scopes.beginScope(options)
      },
    }
    const { app } = await tracked(() => undefined, { tracker })
    for (let number = 0; number < 200; number += 1) await app.request('/', { method: `MAKE-${number}` })
    expect(new Set(scopes.ended)).toEqual(new Set(['_OTHER _unmatched 4xx']))
    expect(begun.size).toBe(1)
  })

  it.each([[true], [false]])(
    'is the current scope of its handlers where that is asked for: %s',
    async (asked) => {
      const { url, scopes } = await tracked(
        (app) => {
          app.post('/', async (context) =>
            context.json([await context.req.json(), currentScope()?.kind ?? 'none']),
          )
        },
        { currentScope: asked },
      )
      expect(await ask(url, { method: 'POST', body: '1' })).toBe(`200 [1,"${asked ? 'request' : 'none'}"]`)
      await scopes.untilEnded(1)
    },
  )

  it('tells the mean of its route in headers where that is asked for', async () => {
    const { url, scopes } = await tracked(
      (app) => void app.get('/users/:id', (context) => context.text('one')),
      { serverTiming: true },
    )
    await ask(`${url}/users/1`)
    await scopes.untilEnded(1)
    const { headers } = await fetch(`${url}/users/2`)
    expect(headers.get('server-timing')).toBe('carbon;desc="mean mgCO2eq of this route";dur=0.0123')
  })
})

it('the hooks of register measure each app, once and with its routes', async () => {
  const scopes = recordScopes()
  setProcessScopes(scopes)
  onTestFinished(() => setProcessScopes(undefined))
  httpHook.install({}, { name: 'node:http', version: undefined })
  const { Hono: Hooked } = honoHook.install({ Hono, other: 1 }, { name: 'hono', version: '4.13.19' }) as {
    Hono: typeof Hono
  }
  const api = new Hooked().get('/users/:id', (context) => context.text('one'))
  const app = new Hooked().route('/api', api)
  expect(app).toBeInstanceOf(Hono)
  const { url } = await serve(toListener(app))
  await ask(`${url}/api/users/1`)
  await ask(`${url}/api/else`)
  expect(await scopes.untilEnded(2)).toEqual(['GET /api/users/:id 2xx', 'GET _unmatched 4xx'])
})
