import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { exchange, textOf } from '../../src/http/exchange.ts'
import {
  httpRequest,
  httpRequestUnchecked,
  createHttpRequest,
  type Fetch,
} from '../../src/http/http-request.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

interface Identity {
  readonly key: string
  readonly cert: string
}

function identity(): Identity {
  const folder = temporaryFolder()
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1']
  const { status } = spawnSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...names])
  expect(status).toBe(0)
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

/** A server that nobody vouches for; with a client, only for that one. */
async function selfSigned(own: Identity = identity(), client?: Identity): Promise<string> {
  const options =
    client === undefined ? own : { ...own, ca: client.cert, requestCert: true, rejectUnauthorized: true }
  const server = createServer(options, (_request, response) => {
    response.end('hello')
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(url: string, fetch: Fetch): Promise<string> {
  const { signal } = new AbortController()
  return exchange({ url, headers: {} }, { fetch, clock: systemClock, timeoutMs: 5000, signal }, textOf)
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

it.skipIf(!hasOpenssl)(
  'a certificate that nobody vouches for is accepted only where the user says so',
  async () => {
    const url = await selfSigned()
    await expect(ask(url, httpRequest)).rejects.toThrow(
      'cannot be reached: its certificate is signed by itself',
    )
    expect(await ask(url, httpRequestUnchecked)).toBe('hello')
  },
)

it.skipIf(!hasOpenssl)(
  'a server is known by the certificate that the user gives, and by no other',
  async () => {
    const own = identity()
    const url = await selfSigned(own)
    expect(await ask(url, createHttpRequest({ ca: own.cert }))).toBe('hello')
    await expect(ask(url, createHttpRequest({ ca: identity().cert }))).rejects.toThrow('cannot be reached')
  },
)

it.skipIf(!hasOpenssl)('a server that wants to know who asks is told', async () => {
  const [own, client] = [identity(), identity()]
  const url = await selfSigned(own, client)
  expect(await ask(url, createHttpRequest({ ca: own.cert, ...client }))).toBe('hello')
  await expect(ask(url, createHttpRequest({ ca: own.cert }))).rejects.toThrow('cannot be reached')
  expect(await ask(url, createHttpRequest({ ...client, rejectUnauthorized: false }))).toBe('hello')
})
