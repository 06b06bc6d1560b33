import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request as sendRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { currentScope } from '../../../src/index.ts'
import { startServer } from '../../../src/exporters/prometheus/server.ts'
import { scopeOf, trackHttpServers, type HttpServerOptions } from '../../../src/integrations/http/http.ts'
import { recordScopes } from './recorded-scopes.ts'
import { ask, serve } from './serve.ts'
import { tracked } from './tracked.ts'

const greet: RequestListener = (_request, response) => {
  response.end('hello')
}

describe('a request to a server of node:http', () => {
  it('is a scope by its method, since there are no routes', async () => {
    const { url, scopes } = await tracked(greet)
    expect(await ask(`${url}/users/42?name=x`)).toBe('200 hello')
    expect(await ask(`${url}/users/42`, { method: 'POST', body: 'text' })).toBe('200 hello')
    expect(await ask(url, { method: 'HEAD' })).toBe('200 ')
    expect(await scopes.untilEnded(3)).toEqual(['GET 2xx', 'POST 2xx', 'HEAD 2xx'])
  })

  it('has the route that the program tells, or none', async () => {
    const route = ({ url }: IncomingMessage): string | undefined =>
      url?.startsWith('/users/') === true ? '/users/:id' : undefined
    const { url, scopes } = await tracked(greet, { route })
    await ask(`${url}/users/42`)
    await ask(`${url}/else`)
    expect(await scopes.untilEnded(2)).toEqual(['GET /users/:id 2xx', 'GET _unmatched 2xx'])
  })

  it('of a method that clients make up is told as one of few', async () => {
    const { url, port, scopes } = await tracked(greet)
    await ask(url, { method: 'PROPFIND' })
    expect(port).toBeGreaterThan(0)
    expect(await scopes.untilEnded(1)).toEqual(['_OTHER 2xx'])
  })

  it.each([
    [204, '2xx'],
    [304, '3xx'],
    [404, '4xx'],
    [503, '5xx'],
  ])('that is answered with %i has the outcome %s', async (status, outcome) => {
    const { url, scopes } = await tracked((_request, response) => {
      response.writeHead(status).end()
    })
    await ask(url)
    expect(await scopes.untilEnded(1)).toEqual([`GET ${outcome}`])
  })

  it('is measured to the end of its response, however long that is', async () => {
    let finish = (): void => undefined
    const { url, scopes } = await tracked((_request, response) => {
      response.write('begin')
      finish = () => response.end('end')
    })
    const response = await fetch(url)
    expect(response.status).toBe(200)
    expect(scopes.open()).toBe(1)
    finish()
    expect(await response.text()).toBe('beginend')
    expect(await scopes.untilEnded(1)).toEqual(['GET 2xx'])
  })

  it.each([
    ['before it is answered', (): void => undefined],
    [
      'in the middle of its response',
      (response: { write: (text: string) => unknown }) => response.write('a'),
    ],
  ])('whose client goes away %s is aborted', async (_when, act) => {
    const { port, scopes } = await tracked((_request, response) => {
      act(response)
      socket.destroy()
    })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    expect(await scopes.untilEnded(1)).toEqual(['GET aborted'])
  })

  it('that waits in a pipeline ends with the socket', async () => {
    const { port, scopes } = await tracked((request, response) => {
      if (request.url === '/3') socket.destroy()
      else if (request.url === '/2') response.end()
    })
    const socket = connect(port, '127.0.0.1')
    const paths = ['/1', '/2', '/3']
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`).join(''))
    expect(await scopes.untilEnded(3)).toEqual(['GET aborted', 'GET aborted', 'GET aborted'])
    expect(scopes.open()).toBe(0)
  })

  it('ends, and the next one on its connection is one by itself, also in a pipeline', async () => {
    const { port, scopes } = await tracked(greet)
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    for (let round = 0; round < 3; round += 1) socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(40))
    await scopes.untilEnded(120)
    expect(scopes.begun()).toBe(120)
    expect(new Set(scopes.ended)).toEqual(new Set(['GET 2xx']))
    socket.write('HEAD / HTTP/1.1\r\nHost: here\r\n\r\n')
    expect((await scopes.untilEnded(121)).at(-1)).toBe('HEAD 2xx')
  })

  it('that becomes a WebSocket is none, and leaves nothing open', async () => {
    const { port, server, scopes } = await tracked(greet)
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    })
    const request = sendRequest({ port, headers: { connection: 'Upgrade', upgrade: 'websocket' } }).end()
    const [, socket] = (await once(request, 'upgrade')) as [unknown, { destroy: () => void }]
    socket.destroy()
    expect(scopes.begun()).toBe(0)
  })

  it('that asks for an upgrade which nobody gives is one like any other', async () => {
    const { port, scopes } = await tracked((_request, response) => {
      response.writeHead(426).end()
    })
    sendRequest({ port, headers: { connection: 'Upgrade', upgrade: 'websocket' } }).end()
    expect(await scopes.untilEnded(1)).toEqual(['GET 4xx'])
  })

  it('to a server of this package itself is none', async () => {
    const { url, scopes } = await tracked(greet)
    const metrics = await startServer({
      port: 0,
      host: '127.0.0.1',
      routes: { '/metrics': (_request, response) => void response.end('x 1') },
      onError: (message) => expect.fail(message),
    })
    expect(await ask(`${metrics.url}metrics`)).toBe('200 x 1')
    await metrics.close()
    await ask(url)
    expect(await scopes.untilEnded(1)).toEqual(['GET 2xx'])
  })

  it('is no scope any more when tracking has stopped', async () => {
    const scopes = recordScopes()
    const { url } = await serve(greet)
    trackHttpServers({ tracker: scopes }).stop()
    await ask(url)
    expect(scopes.begun()).toBe(0)
  })

  it.each([[true], [false]])(
    'is told inside of its handlers by the request, and by currentScope() where that is asked for: %s',
    async (isAsked) => {
      let told: unknown
      const { url, scopes } = await tracked(
        async (request, response) => {
          await Promise.resolve()
          told = currentScope()
          scopeOf(request)?.setLabel('tenant', 'acme')
          response.end(String(scopeOf(request)?.kind))
        },
        { currentScope: isAsked },
      )
      expect(await ask(url)).toBe('200 request')
      expect(told !== undefined).toBe(isAsked)
      await scopes.untilEnded(1)
    },
  )

  it('that is excluded does not see the one before it on its connection', async () => {
    const told: unknown[] = []
    const { port, scopes } = await tracked(
      (request, response) => {
        told.push([request.url, currentScope() === scopeOf(request), currentScope()?.kind])
        response.end()
      },
      { currentScope: true, exclude: ['/health'] },
    )
    const socket = connect(port, '127.0.0.1').resume()
    const ended = once(socket, 'close')
    for (const path of ['/a', '/health', '/b']) socket.write(`GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`)
    socket.write('GET /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n')
    await ended
    await scopes.untilEnded(2)
    expect(told).toEqual([
      ['/a', true, 'request'],
      ['/health', true, undefined],
      ['/b', true, 'request'],
      ['/health', true, undefined],
    ])
  })

  it('ends where the context of its handler is still there, such as a trace', async () => {
    const trace = new AsyncLocalStorage<string>()
    const scopes = recordScopes()
    const seen: unknown[] = []
    const tracker = {
      beginScope: (options: Parameters<typeof scopes.beginScope>[0]) => {
        const scope = scopes.beginScope(options)
        const { end } = scope
        scope.end = (outcome) => {
          seen.push(trace.getStore())
          end.call(scope, outcome)
        }
        return scope
      },
    }
    const { url } = await tracked((_request, response) => trace.run('trace 1', () => response.end()), {
      tracker,
    })
    await ask(url)
    await scopes.untilEnded(1)
    expect(seen).toEqual(['trace 1'])
  })
})

describe('what is measured', () => {
  it.each<[string, HttpServerOptions, string[]]>([
    [
      'everything but some',
      { exclude: ['/health', '/files/:name', '/static/*'] },
      ['/', '/files', '/files/a/b'],
    ],
    [
      'what is written with escapes and quotes',
      { include: ['/files/\\a', '/:"what-ever"/a/b', '/\\*'] },
      ['/files/a', '/files/a/b', '/static/a/b'],
    ],
    ['some alone', { include: ['/files/:name', '/static/*path'] }, ['/files/a', '/static/a/b']],
    ['some of some', { include: ['/files/:name'], exclude: [({ url }) => url === '/files/b'] }, ['/files/a']],
  ])('may be %s', async (_what, options, expected) => {
    const asked = new Map<object, string>()
    const { url, scopes } = await tracked((request, response) => {
      if (scopeOf(request) !== undefined) asked.set(request, request.url?.replace(/\?.*|\/$/g, '') ?? '')
      response.end()
    }, options)
    const paths = [
      '/',
      '/health',
      '/health/',
      '/health?full=1',
      '/files',
      '/files/a',
      '/files/b',
      '/files/a/b',
    ]
    for (const path of [...paths, '/static/a/b']) await ask(url + path)
    await scopes.untilEnded(expected.length)
    const left = expected.map((path) => (path === '/' ? '' : path))
    expect([...asked.values()].filter((path) => path !== '/files/b' || left.includes(path))).toEqual(left)
  })

  it.each([
    [
      { exclude: '/health' },
      'option exclude: expected a list of route templates and functions, got "/health"',
    ],
    [{ include: ['health'] }, 'expected a route template that begins with /, or a function, got "health"'],
    [{ exclude: ['/a{b'] }, 'option exclude: braces without a partner in "/a{b"'],
    [{ exclude: [7] }, 'a function, got 7'],
    [{ exclude: [/a/] }, 'a function, got /a/'],
    [{ exclude: [null] }, 'a function, got null'],
    [{ route: '/users' }, 'option route: expected a function, got "/users"'],
    [{ serverTiming: 1 }, 'option serverTiming: expected true or false, got 1'],
    [{ tracker: {} }, 'option tracker: expected an EmissionsTracker, got object'],
    [7, 'expected options, got 7'],
    [null, 'expected options, got null'],
  ])('is not said by %j', (options, message) => {
    expect(() => trackHttpServers(options as never)).toThrow(message)
    expect(() => trackHttpServers(options as never)).toThrow(/^codecarbon\/http: trackHttpServers: /)
  })
})

describe('a hook that fails', () => {
  it('is heard of once, lets the program answer, and is turned off', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const fails = (): boolean => {
      throw new Error('as it should')
    }
    const { url, scopes } = await tracked(greet, { exclude: [fails] })
    for (let count = 0; count < 15; count += 1) {
      expect(await ask(url)).toBe('200 hello')
      await new Promise(setImmediate)
    }
    expect(scopes.begun()).toBe(0)
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      'codecarbon/http: a request could not be measured: as it should',
      'codecarbon/http: 10 requests in a row could not be measured; none is from now on: as it should',
    ])
    expect(warn.mock.calls[0]?.[1]).toBe('CodeCarbonWarning')
  })

  it('at an event of Node that is not as expected leaves the program alone', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const { url, scopes } = await tracked(greet)
    channel('http.server.request.start').publish(undefined)
    expect(await ask(url)).toBe('200 hello')
    expect(await scopes.untilEnded(1)).toEqual(['GET 2xx'])
    expect(warn).toHaveBeenCalledOnce()
  })

  it('at the beginning leaves the request alone', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    onTestFinished(() => warn.mockRestore())
    const beginScope = (): never => {
      throw new Error('no scope')
    }
    const { url } = await tracked(greet, { tracker: { beginScope } })
    expect(await ask(url)).toBe('200 hello')
    expect(warn).toHaveBeenCalledOnce()
  })
})

it('requests leave nothing behind', async () => {
  const left: WeakRef<object>[] = []
  const { port, scopes } = await tracked((request, response) => {
    if (left.length < 10_000) left.push(new WeakRef(request))
    response.end()
  })
  const socket = connect(port, '127.0.0.1').resume()
  for (let sent = 0; sent < 10_000; sent += 100) {
    socket.write('GET /a HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(100))
    await scopes.untilEnded(sent + 100)
  }
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await new Promise(setImmediate)
  collect()
  const alive = left.filter((reference) => reference.deref() !== undefined).length
  socket.destroy()
  expect(scopes.open()).toBe(0)
  expect(alive).toBeLessThan(200)
})
