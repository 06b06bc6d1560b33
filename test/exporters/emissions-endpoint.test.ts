import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createEmissionsEndpoint } from '../../src/exporters/emissions-endpoint.ts'
import { httpRequest } from '../../src/http/http-request.ts'
import { EmissionsTracker } from '../../src/index.ts'
import { itIsAnExporter } from '../contract/exporter.ts'
import { upstreamColumns } from '../fixtures/csv/columns.ts'
import { recordOf, reportOf, unmeasuredRecord } from '../fixtures/csv/records.ts'
import { startServer, type LocalServer } from '../fixtures/local-server.ts'
import { recordingFetch } from '../fixtures/recording-fetch.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

type Fields = Record<string, unknown>
const parse = (json: string): Fields => JSON.parse(json) as Fields

itIsAnExporter('an address that records are posted to', () => {
  const { fetch, sent } = recordingFetch()
  return {
    exporter: createEmissionsEndpoint({ url: 'http://example.test/in', fetch, clock: systemClock }),
    delivered: () => sent.map(({ body = '' }) => String(parse(body)['run_id'])),
  }
})

/** A service that answers in this way, and the bodies that it was sent. */
async function service(code = 201): Promise<{ server: LocalServer; bodies: Fields[] }> {
  const bodies: Fields[] = []
  const server = await startServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(parse(body))
      response.writeHead(code).end()
    })
  })
  return { server, bodies }
}

describe('what is posted', () => {
  it('has the names of the columns, numbers as numbers and null for what is unknown', async () => {
    const { server, bodies } = await service()
    const exporter = createEmissionsEndpoint({ url: server.url, fetch: httpRequest, clock: systemClock })
    await exporter.export(reportOf('flush'))
    await exporter.export(reportOf('stop', unmeasuredRecord()))
    expect(bodies.map((body) => Object.keys(body).slice(0, 38))).toEqual([upstreamColumns, upstreamColumns])
    expect(bodies[0]).toMatchObject({ emissions: 0.000044, cpu_count: 8, on_cloud: 'N', measured_share: 0.9 })
    expect(bodies[1]).toMatchObject({ emissions: null, energy_consumed: null, pue: 1 })
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
  })

  it('is nothing in between, and nothing where the process ends at once', async () => {
    const { fetch, sent } = recordingFetch()
    const exporter = createEmissionsEndpoint({ url: 'http://example.test', fetch, clock: systemClock })
    for (const reason of ['live', 'signal', 'exit'] as const) await exporter.export(reportOf(reason))
    expect(sent).toEqual([])
  })

  it('comes with the user and password of the address, which is sent and told without them', async () => {
    const { fetch, sent } = recordingFetch(403)
    const url = 'https://ada:p%40ss%zz@example.test:8443/in?x=1'
    const exporter = createEmissionsEndpoint({ url, fetch, clock: systemClock })
    await expect(exporter.export(reportOf('stop'))).rejects.toThrow(
      'the service at example.test:8443 does not accept the credentials (HTTP 403): check user name and password in emissions_endpoint',
    )
    const [request] = sent
    expect(request?.url).toBe('https://example.test:8443/in?x=1')
    expect(request?.headers['authorization']).toBe(`Basic ${btoa('ada:p%40ss%zz')}`)
  })
})

describe('a tracker with an emissions_endpoint', () => {
  it('posts its run, and says so where nobody takes it', async () => {
    const { server, bodies } = await service()
    const machine = fakeMachine()
    const options = { ...machine.options, logLevel: 'critical', emissionsEndpoint: server.url } as const
    const tracker = new EmissionsTracker(options).start()
    machine.use(3600)
    await tracker.flush()
    await tracker.stop()
    expect(bodies).toHaveLength(2)
    expect(bodies[1]).toMatchObject({ run_id: tracker.finalEmissionsData?.runId })
    await server.close()

    const second = new EmissionsTracker(options).start()
    await second.flush()
    await second.stop()
    expect(second.finalEmissionsData?.problems).toMatchObject([
      { code: 'ERR_EXPORT_FAILED', subject: 'emissions_endpoint' },
    ])
    expect(second.finalEmissionsData?.problems[0]?.message).toMatch(/the connection was refused$/)
  })

  it('sends nothing where it may make no connection, and says so', async () => {
    const { server, bodies } = await service()
    const said: string[] = []
    const note = (message: string): void => void said.push(message)
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({
      ...machine.options,
      logLevel: 'warning',
      logger: { debug: note, info: note, warn: note, error: note },
      offline: true,
      outputMethods: ['prometheus'],
      emissionsEndpoint: server.url,
      prometheusUrl: server.url,
    }).start()
    await tracker.stop()
    expect(bodies).toEqual([])
    expect(server.requests).toEqual([])
    expect(said.filter((line) => line.includes('offline'))).toEqual([
      expect.stringContaining('output prometheus: offline makes no connection') as string,
      expect.stringContaining('output emissions_endpoint: offline makes no connection') as string,
    ])
  })
})

it('is told of an address that is none without quoting it', () => {
  const { fetch } = recordingFetch()
  expect(() => createEmissionsEndpoint({ url: 'ftp://ada:x@y', fetch, clock: systemClock })).toThrow(
    /^its address is none of the form http:\/\/host:port or https:\/\/host$/,
  )
})

it('is the record that the report had', async () => {
  const { fetch, sent } = recordingFetch()
  const exporter = createEmissionsEndpoint({ url: 'http://example.test', fetch, clock: systemClock })
  await exporter.export(reportOf('stop', recordOf({ projectName: 'Zürich "東京"' })))
  expect(parse(sent[0]?.body ?? '')).toMatchObject({ project_name: 'Zürich "東京"' })
})
