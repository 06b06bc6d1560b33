import { hostname } from 'node:os'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import type { Exporter } from '../../../src/core/exporter.ts'
import { createPushgateway, type PushgatewayOptions } from '../../../src/exporters/prometheus/pushgateway.ts'
import { EmissionsTracker } from '../../../src/index.ts'
import { itIsAnExporter } from '../../contract/exporter.ts'
import { reportOf } from '../../fixtures/csv/records.ts'
import { startServer, type LocalServer } from '../../fixtures/local-server.ts'
import { recordingFetch, type Sent } from '../../fixtures/recording-fetch.ts'
import { viewOf } from '../../fixtures/run-view.ts'
import { fakeMachine } from '../../tracker/fake-machine.ts'

/** A pusher, and what it sends. */
function pusher(
  options: Partial<PushgatewayOptions> = {},
  status?: number,
): { readonly exporter: Exporter; readonly sent: readonly Sent[] } {
  const { fetch, sent } = recordingFetch(status)
  const exporter = createPushgateway({
    url: 'gateway:9091',
    takeInstance: () => ({ name: 'host-1', release: () => undefined }),
    isDeletedAtEnd: true,
    fetch,
    clock: systemClock,
    ...options,
  })
  void exporter.open?.(() => viewOf())
  return { exporter, sent }
}

const all = (sent: readonly Sent[], pattern: RegExp): string[] =>
  sent.flatMap(({ body = '' }) => [...body.matchAll(pattern)].map(([, found = '']) => found))

itIsAnExporter('the Pushgateway', () => {
  const { exporter, sent } = pusher()
  return {
    exporter,
    delivered: () => all(sent, /^codecarbon_run_info\{.*run_id="([^"]*)".*\} 1$/gm),
    deliveredTasks: () =>
      all(sent.slice(-1), /^codecarbon_task_duration_seconds_count\{task="([^"]*)"\} 1$/gm),
  }
})

describe('the group of this host', () => {
  it('is pushed whole, and deleted at the end, with the same credentials', async () => {
    const { exporter, sent } = pusher({ credentials: { user: 'ada', password: 'secret' } })
    for (const reason of ['live', 'flush', 'stop'] as const) await exporter.export(reportOf(reason))
    await exporter.close?.()
    expect(sent.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT', 'DELETE'])
    for (const { url, headers, redirect } of sent) {
      expect(url).toBe('http://gateway:9091/metrics/job/codecarbon/instance/host-1')
      expect(headers['authorization']).toBe(`Basic ${btoa('ada:secret')}`)
      expect(redirect).toBe('manual')
    }
    expect(sent[0]?.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(sent[3]?.body).toBeUndefined()
  })

  it('stays where it is to be scraped yet', async () => {
    const { exporter, sent } = pusher({ isDeletedAtEnd: false })
    await exporter.export(reportOf('stop'))
    await exporter.close?.()
    expect(sent.map(({ method }) => method)).toEqual(['PUT'])
  })

  it('stays where the last push was not taken, and where there was none', async () => {
    const refused = pusher({}, 400)
    await expect(refused.exporter.export(reportOf('stop'))).rejects.toThrow('HTTP 400')
    await refused.exporter.close?.()
    expect(refused.sent.map(({ method }) => method)).toEqual(['PUT'])

    const ended = pusher()
    await ended.exporter.export(reportOf('flush'))
    await ended.exporter.close?.()
    expect(ended.sent.map(({ method }) => method)).toEqual(['PUT'])
  })

  it('is not pushed where the process ends at once', async () => {
    const { exporter, sent } = pusher()
    for (const reason of ['signal', 'exit'] as const) await exporter.export(reportOf(reason))
    expect(sent).toEqual([])
  })
})

/** A gateway that takes everything, and the bodies and credentials that it was sent. */
async function gateway(): Promise<{ server: LocalServer; pushed: string[] }> {
  const pushed: string[] = []
  const server = await startServer((request, response) => {
    void text(request).then((body) => {
      pushed.push(body)
      response.writeHead(202).end()
    })
  })
  return { server, pushed }
}

describe('a tracker that pushes', () => {
  const optionsFor = (url: string): object => ({
    ...fakeMachine().options,
    logLevel: 'critical',
    outputMethods: ['prometheus'],
    prometheusUrl: url,
  })

  it('has the host name as instance, and PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD as credentials', async (context) => {
    vi.stubEnv('PROMETHEUS_USERNAME', 'ada')
    vi.stubEnv('PROMETHEUS_PASSWORD', 'secret')
    context.onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const { server } = await gateway()
    const tracker = new EmissionsTracker(optionsFor(server.url)).start()
    await tracker.stop()
    const path = `/metrics/job/codecarbon/instance/${hostname()}`
    const headers = { authorization: `Basic ${btoa('ada:secret')}` }
    expect(server.requests).toMatchObject([
      { method: 'PUT', url: path, headers },
      { method: 'DELETE', url: path, headers },
    ])
  })

  it('has a group of its own beside another at the same time, which is used again after it', async () => {
    const { server } = await gateway()
    const options = optionsFor(server.url)
    let seen = 0
    const pushed = (): string[] => {
      const requests = server.requests.slice(seen)
      seen += requests.length
      return requests.map(({ method, url }) => `${method} ${url?.split('/').at(-1)}`)
    }
    const first = new EmissionsTracker(options).start()
    await first.flush()
    const second = new EmissionsTracker(options).start()
    await second.flush()
    expect(pushed()).toEqual([`PUT ${hostname()}`, `PUT ${encodeURIComponent(`${hostname()}:2`)}`])
    await first.stop()
    expect(pushed()).toEqual([`PUT ${hostname()}`, `DELETE ${hostname()}`])
    const third = new EmissionsTracker(options).start()
    await third.flush()
    await second.flush()
    expect(pushed()).toEqual([`PUT ${hostname()}`, `PUT ${encodeURIComponent(`${hostname()}:2`)}`])
    await third.stop()
    await second.stop()
  })

  it('leaves its group to others only when it is deleted', async () => {
    const released: string[] = []
    const { exporter, sent } = pusher({
      takeInstance: () => ({ name: 'a', release: () => void released.push(sent.at(-1)?.method ?? '') }),
    })
    await exporter.export(reportOf('stop'))
    expect(released).toEqual([])
    await exporter.close?.()
    expect(released).toEqual(['DELETE'])

    const refused = pusher(
      {
        takeInstance: () => ({ name: 'a', release: () => void released.push('refused') }),
      },
      500,
    )
    await expect(refused.exporter.export(reportOf('stop'))).rejects.toThrow('HTTP 500')
    await refused.exporter.close?.()
    expect(released).toEqual(['DELETE', 'refused'])
  })

  it('pushes the figures of the end, however soon it comes', async () => {
    const { server, pushed } = await gateway()
    const machine = fakeMachine()
    const tracker = new EmissionsTracker({ ...optionsFor(server.url), ...machine.options }).start()
    machine.use(36)
    await tracker.flush()
    machine.use(14)
    await tracker.stop()
    expect(pushed[1]).toMatch(/^hw_energy_joules_total\{.*hw_name="package-0".*\} 50$/m)
  })

  it('goes on without a gateway, and the figures of the next push say that one was missed', async () => {
    const gone = await startServer({})
    await gone.close()
    const tracker = new EmissionsTracker(optionsFor(gone.url)).start()
    await tracker.flush()
    expect(tracker.emissionsData?.problems).toMatchObject([
      {
        code: 'ERR_EXPORT_FAILED',
        subject: 'prometheus',
        message: expect.stringMatching(
          /^output prometheus: the Pushgateway at 127\.0\.0\.1:\d+ cannot be reached/,
        ) as string,
      },
    ])
    const pushed: string[] = []
    await startServer(
      (request, response) => {
        void text(request).then((body) => {
          pushed.push(body)
          response.writeHead(202).end()
        })
      },
      Number(new URL(gone.url).port),
    )
    await tracker.stop()
    expect(pushed[0]).toContain('codecarbon_exporter_errors_total{exporter="prometheus"} 1\n')
  })

  it('ends in time though the gateway says nothing', async () => {
    const server = await startServer(() => undefined)
    const tracker = new EmissionsTracker(optionsFor(server.url)).start()
    const begin = performance.now()
    expect(await tracker.stop()).toBeTypeOf('number')
    expect(performance.now() - begin).toBeLessThan(4000)
    expect(tracker.finalEmissionsData?.problems).toEqual([])
  })

  it('goes on where the address is none', async () => {
    const tracker = new EmissionsTracker(optionsFor('ftp://ada:secret@gateway')).start()
    await tracker.flush()
    const [problem] = tracker.emissionsData?.problems ?? []
    expect(problem?.message).toBe(
      'output prometheus: its address is none of the form http://host:port or https://host',
    )
    expect(await tracker.stop()).toBeTypeOf('number')
  })
})
