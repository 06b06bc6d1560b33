import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { exchange, textOf } from '../../src/http/exchange.ts'
import { httpRequest, httpRequestUnchecked, type Fetch } from '../../src/http/http-request.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

/** A server that nobody vouches for. */
async function selfSigned(): Promise<string> {
  const folder = temporaryFolder()
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const { status } = spawnSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, '-subj', '/CN=x'])
  expect(status).toBe(0)
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
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

it.skipIf(spawnSync('openssl', ['version']).status !== 0)(
  'a certificate that nobody vouches for is accepted only where the user says so',
  async () => {
    const url = await selfSigned()
    const { signal } = new AbortController()
    const ask = (fetch: Fetch): Promise<string> =>
      exchange({ url, headers: {} }, { fetch, clock: systemClock, timeoutMs: 5000, signal }, textOf)
    await expect(ask(httpRequest)).rejects.toThrow('cannot be reached: its certificate is signed by itself')
    expect(await ask(httpRequestUnchecked)).toBe('hello')
  },
)
