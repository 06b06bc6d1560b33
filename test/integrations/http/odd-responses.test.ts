import { EventEmitter, once } from 'node:events'
import { IncomingMessage, request as sendRequest, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { carbon } from '../../../src/integrations/express/express.ts'
import { recordScopes, type RecordedScopes } from './recorded-scopes.ts'
import { serve } from './serve.ts'

/** Runs a middleware for a request and a response that no server of Node has made, and closes the response. */
function closed(response: object, request = new IncomingMessage(new Socket())): RecordedScopes {
  const scopes = recordScopes()
  carbon({ tracker: scopes })(Object.assign(request, { method: 'GET' }), response as never, () => undefined)
  expect(scopes.open()).toBe(1)
  ;(response as EventEmitter).emit('close')
  return scopes
}

const ofDouble = { statusCode: 200, writableFinished: true, writableEnded: true, writeHead: () => undefined }

it.each<[string, () => object, string]>([
  ['a double in a test', () => Object.assign(new EventEmitter(), ofDouble), '2xx'],
  ['a double that has not ended', () => Object.assign(new EventEmitter(), { statusCode: 200 }), 'aborted'],
  ['of another request', () => new ServerResponse({ method: 'GET' } as never), 'aborted'],
  ['of another request, ended', () => new ServerResponse({ method: 'GET' } as never).end(), '2xx'],
])('a request ends with its response that is %s', (_what, response, outcome) => {
  expect(closed(response()).ended).toEqual([`GET _unmatched ${outcome}`])
})

it('a response that cannot be looked at ends its request, and leaves the program alone', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  onTestFinished(() => warn.mockRestore())
  const response = Object.defineProperty(new EventEmitter(), 'writableFinished', {
    get() {
      throw new Error('as it should')
    },
  })
  expect(closed(response).ended).toEqual(['GET _unmatched aborted'])
  expect(warn).toHaveBeenCalledWith(
    'codecarbon/express: a request could not be measured: as it should',
    'CodeCarbonWarning',
  )
})

it('a response that is made for a connection which becomes a WebSocket begins nothing', async () => {
  const scopes = recordScopes()
  const { port, server } = await serve(() => undefined)
  server.on('upgrade', (request, socket) => {
    carbon({ tracker: scopes })(request, new ServerResponse(request), () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    })
  })
  const request = sendRequest({ port, headers: { connection: 'Upgrade', upgrade: 'websocket' } }).end()
  const [, socket] = (await once(request, 'upgrade')) as [unknown, Socket]
  socket.destroy()
  expect(scopes.begun()).toBe(0)
})
