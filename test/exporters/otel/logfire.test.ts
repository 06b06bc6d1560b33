import { describe, expect, it } from 'vitest'
import { findLogfire } from '../../../src/exporters/otel/logfire.ts'
import { EmissionsTracker, type TrackerOptions } from '../../../src/index.ts'
import { startServer, type LocalServer } from '../../fixtures/local-server.ts'
import { fakeMachine } from '../../tracker/fake-machine.ts'
import { setVariables } from './collector.ts'

const token = 'pylf_v1_eu_AbC123'

/** Takes what Logfire takes: protocol buffers at one path from those who have the token. */
function startLogfire(): Promise<LocalServer> {
  return startServer(({ method, url, headers }, response) => {
    const isKnown = headers.authorization === token
    const isRight = method === 'POST' && url === '/v1/metrics'
    const isProtobuf = headers['content-type'] === 'application/x-protobuf'
    response.writeHead(!isRight ? 404 : !isKnown ? 401 : !isProtobuf ? 415 : 200).end()
  })
}

/** A run from its start to its end. @returns what it has said */
async function run(options: TrackerOptions): Promise<string> {
  const messages: string[] = []
  const say = (message: string): void => void messages.push(message)
  const machine = fakeMachine()
  const logger = { debug: say, info: say, warn: say, error: say }
  const tracker = new EmissionsTracker({ ...machine.options, logLevel: 'info', logger, ...options }).start()
  machine.use(36)
  await tracker.stop()
  return messages.join('\n')
}

describe('Logfire', () => {
  it.each([
    ['pylf_v1_eu_AbC123', undefined, 'https://logfire-eu.pydantic.dev/v1/metrics'],
    ['pylf_v1_us_AbC123', undefined, 'https://logfire-us.pydantic.dev/v1/metrics'],
    ['an older one', undefined, 'https://logfire-us.pydantic.dev/v1/metrics'],
    ['pylf_v1_eu_AbC123', 'https://logs.example/logfire', 'https://logs.example/logfire/v1/metrics'],
  ])('is where the token %j and LOGFIRE_BASE_URL %j say', (LOGFIRE_TOKEN, LOGFIRE_BASE_URL, url) => {
    const headers = { Authorization: LOGFIRE_TOKEN }
    expect(findLogfire({ LOGFIRE_TOKEN, LOGFIRE_BASE_URL })).toEqual({ url, headers })
  })

  it.each<TrackerOptions>([{ outputMethods: ['logfire'] }, { saveToFile: false, saveToLogfire: true }])(
    'is sent the metrics of a run with its token, by %j',
    async (options) => {
      const { url, requests } = await startLogfire()
      setVariables({ LOGFIRE_TOKEN: token, LOGFIRE_BASE_URL: url })
      expect(await run(options)).not.toMatch(/not in this version|did not take/)
      expect(requests.map(({ method, url: path }) => [method, path])).toEqual([['POST', '/v1/metrics']])
    },
  )

  it('is given no header, endpoint or protocol that is meant for another collector, which has its own', async () => {
    const [logfire, other] = await Promise.all([startLogfire(), startServer({})])
    setVariables({
      LOGFIRE_TOKEN: token,
      LOGFIRE_BASE_URL: `${logfire.url}/`,
      OTEL_EXPORTER_OTLP_ENDPOINT: other.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'authorization=other',
    })
    expect(await run({ outputMethods: ['otlp', 'logfire'] })).not.toContain('did not take')
    expect(logfire.requests.map(({ headers }) => [headers['api-key'], headers.authorization])).toEqual([
      [undefined, token],
    ])
    expect(other.requests.map(({ headers }) => [headers['api-key'], headers.authorization])).toEqual([
      ['secret', 'other'],
    ])
    expect(process.env['OTEL_EXPORTER_OTLP_HEADERS']).toBe('api-key=secret')
  })

  it('that does not know the token is told of, without the token', async () => {
    const { url } = await startLogfire()
    setVariables({ LOGFIRE_TOKEN: 'wrong', LOGFIRE_BASE_URL: url })
    const said = await run({ outputMethods: ['logfire'] })
    expect(said).toContain('Logfire did not take the metrics (Unauthorized 401); check LOGFIRE_TOKEN')
    expect(said).not.toContain('wrong')
  })

  it.each([
    [{ LOGFIRE_TOKEN: '' }, 'LOGFIRE_TOKEN is not set: expected the write token of a project'],
    [
      { LOGFIRE_TOKEN: 'pylf_v1_mars_AbC123' },
      'LOGFIRE_TOKEN is of the region "mars", expected us or eu: give its address in LOGFIRE_BASE_URL',
    ],
    [
      { LOGFIRE_TOKEN: token, LOGFIRE_BASE_URL: 'logfire' },
      'LOGFIRE_BASE_URL: expected a URL such as https://logfire-us.pydantic.dev, but it is "logfire"',
    ],
    [
      { LOGFIRE_TOKEN: token, LOGFIRE_BASE_URL: 'ftp://admin:s3cret@logs' },
      'LOGFIRE_BASE_URL: expected a URL such as https://logfire-us.pydantic.dev, but it is "ftp://***@logs"',
    ],
  ])('with %j is not sent to, and it is said why', async (variables, expected) => {
    setVariables(variables)
    expect(await run({ outputMethods: ['logfire'] })).toContain(`output logfire: ${expected}`)
  })

  it('is not sent to offline, which is said', async () => {
    const { url, requests } = await startLogfire()
    setVariables({ LOGFIRE_TOKEN: token, LOGFIRE_BASE_URL: url })
    expect(await run({ outputMethods: ['logfire'], offline: true })).toContain(
      'output logfire: offline makes no connection, so nothing is sent',
    )
    expect(requests).toEqual([])
  })
})
