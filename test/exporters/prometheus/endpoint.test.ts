import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  StackContextManager,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { hash } from 'bcryptjs'
import { Counter, Registry } from 'prom-client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPrometheusExporter } from '../../../src/exporters/prometheus/prometheus-exporter.ts'
import { createPrometheusPull } from '../../../src/exporters/prometheus/prometheus-pull.ts'
import { EmissionsTracker, type TrackerOptions } from '../../../src/index.ts'
import { taskOf } from '../../fixtures/csv/records.ts'
import { fakeMachine, type FakeMachine } from '../../tracker/fake-machine.ts'
import { runProgram } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'
import { viewOf } from '../../fixtures/run-view.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

const get = (url: string, options: object = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const ask = url.startsWith('https:') ? secureRequest : request
    ask(url, { agent: false, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) })
      })
    })
      .on('error', reject)
      .end()
  })

/** A run whose metrics can be scraped. */
async function endpoint(options: TrackerOptions & { webConfigFile?: string } = {}): Promise<{
  url: string
  machine: FakeMachine
  tracker: EmissionsTracker
  errors: string[]
}> {
  const machine = fakeMachine()
  const errors: string[] = []
  const { webConfigFile, ...others } = options
  const url = await new Promise<string>((resolve, reject) => {
    const pull = createPrometheusPull({
      port: 0,
      host: '127.0.0.1',
      webConfigFile,
      onListen: resolve,
    })
    const exporter = {
      ...pull,
      open: async (look: never, fail: (message: string) => void) => {
        const tell = (message: string): void => {
          errors.push(message)
          fail(message)
        }
        await Promise.resolve(pull.open?.(look, tell)).catch(reject)
      },
    }
    tracker = new EmissionsTracker({ ...machine.options, ...others, exporters: [exporter] }).start()
  })
  const running = tracker
  onTestFinished(async () => {
    await running.stop()
  })
  return { url, machine, tracker: running, errors }
}
let tracker: EmissionsTracker

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

/** A folder with a key and a certificate of each name, and paths in it. */
function certificates(...names: readonly string[]): (name: string) => string {
  const folder = temporaryFolder()
  const at = (name: string): string => join(folder, name)
  for (const name of names) {
    const { status, stderr } = spawnSync('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-subj', `/CN=${name}`],
      ...['-addext', 'subjectAltName=IP:127.0.0.1'],
    ])
    if (status !== 0) throw new Error(stderr.toString())
  }
  return at
}

describe('the endpoint for Prometheus', () => {
  it('answers with what the run has used, as text 0.0.4', async () => {
    const { url, machine } = await endpoint()
    machine.use(36)
    const { status, headers, body } = await get(url)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(body.toString()).toMatch(/^hw_energy_joules_total\{.*hw_name="package-0".*\} 36$/m)
    expect(body.toString()).toContain('codecarbon_run_info{project_name="codecarbon"')
  })

  it('answers in OpenMetrics to who asks for it, and in text afterwards, with the names that they are to have', async () => {
    const { url } = await endpoint()
    const open = await get(url, {
      headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' },
    })
    expect(open.headers['content-type']).toMatch(/^application\/openmetrics-text/)
    expect(open.body.toString()).toMatch(/# EOF\n$/)
    expect(open.body.toString()).toContain('# TYPE hw_energy_joules counter')
    const text = (await get(url)).body.toString()
    expect(text).toContain('# TYPE hw_energy_joules_total counter')
    expect(text).not.toContain('# EOF')
  })

  it('has the trace in which a task ended as exemplar of its histograms, in OpenMetrics alone', async () => {
    context.setGlobalContextManager(new StackContextManager().enable())
    onTestFinished(() => {
      context.disable()
    })
    const { url, tracker } = await endpoint()
    await tracker.flush()
    const ofTask = (name: string, sampled: boolean): string => {
      const provider = new TracerProvider({
        sampler: sampled ? new AlwaysOnSampler() : new AlwaysOffSampler(),
      })
      const span = provider.getTracer('test').startSpan(name)
      const task = tracker.startTask(name)
      context.with(trace.setSpan(ROOT_CONTEXT, span), () => task.stop())
      const { traceId, spanId } = span.spanContext()
      return `{trace_id="${traceId}",span_id="${spanId}"}`
    }
    const traced = ofTask('traced', true)
    const untraced = ofTask('untraced', false)
    const open = await get(url, { headers: { accept: 'application/openmetrics-text;version=1.0.0' } })
    const lines = open.body.toString().split('\n')
    const exemplars = lines.filter((line) => line.includes(' # {'))
    expect(exemplars.map((line) => line.split('{')[0])).toEqual([
      'codecarbon_task_energy_joules_bucket',
      'codecarbon_task_emissions_grams_bucket',
      'codecarbon_task_duration_seconds_bucket',
    ])
    expect(exemplars.filter((line) => line.includes(` # ${traced} `))).toEqual(exemplars)
    expect(open.body.toString()).not.toContain(untraced)
    expect((await get(url)).body.toString()).not.toContain('trace_id')
  })

  it('zips for who takes it, and has a page, a health and nothing else', async () => {
    const { url } = await endpoint()
    const zipped = await get(url, { headers: { 'accept-encoding': 'gzip' } })
    expect(zipped.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(zipped.body).toString()).toContain('hw_energy_joules_total')
    const at = (path: string): Promise<Answer> => get(new URL(path, url).href)
    expect((await at('/')).body.toString()).toContain('/metrics')
    expect((await at('/healthz')).body.toString()).toBe('ok\n')
    expect((await at('/../etc/passwd')).status).toBe(404)
    expect((await at('/__proto__')).status).toBe(404)
    expect((await get(url, { method: 'POST' })).status).toBe(405)
    expect((await get(url, { method: 'HEAD' })).body).toHaveLength(0)
  })

  it.each(['evil.example', 'evil.example:12044', '127.0.0.1.nip.io'])(
    'refuses a request that was meant for %s',
    async (host) => {
      const { url } = await endpoint()
      expect((await get(url, { headers: { host } })).status).toBe(421)
    },
  )

  it('bounds the names of tasks, and keeps those that nobody named together', async () => {
    const { url, tracker: run } = await endpoint()
    for (let index = 0; index < 300; index += 1) run.startTask(`task ${index}`).stop()
    for (let index = 0; index < 5; index += 1) run.startTask().stop()
    const text = (await get(url)).body.toString()
    const names = new Set(
      [...text.matchAll(/codecarbon_task_duration_seconds_count\{task="([^"]+)"\}/g)].map(([, name]) => name),
    )
    expect(names.size).toBeLessThanOrEqual(102)
    expect(text).toMatch(/codecarbon_task_duration_seconds_count\{task="_other"\} 205/)
  })

  it('has no more to say after 100 000 names of a careless program than after 200, and counts each task', async () => {
    const exporter = createPrometheusExporter()
    await exporter.open?.(() => viewOf())
    const sizeAfter = async (from: number, to: number): Promise<number> => {
      for (let index = from; index < to; index += 1)
        exporter.onTask?.(taskOf(`user ${index} at ${index * 7}`))
      return (await exporter.metrics()).body.length
    }
    const before = await sizeAfter(0, 200)
    // Longer numbers, and no series more.
    expect(await sizeAfter(200, 100_000)).toBeLessThan(before * 1.02)
    expect((await exporter.metrics()).body).toContain(
      'codecarbon_task_duration_seconds_count{task="_other"} 99900\n',
    )
  })

  it('bounds the length of the names of tasks, and has one series for those that are written alike', async () => {
    const exporter = createPrometheusExporter()
    await exporter.open?.(() => viewOf())
    const [firstHalf, secondHalf] = ['\u{1F600}'.slice(0, 1), '\u{1F680}'.slice(1)]
    for (const name of [firstHalf, secondHalf, 'x'.repeat(1e6), `${'x'.repeat(128)}y`, '\u{1F600}'])
      exporter.onTask?.(taskOf(name))
    const { body } = await exporter.metrics()
    expect(body.length).toBeLessThan(50_000)
    const counts = [...body.matchAll(/^codecarbon_task_duration_seconds_count\{task="(.*)"\} (\d+)$/gm)]
    expect(counts.map(([, name, count]) => [name, count])).toEqual([
      ['\uFFFD', '2'],
      ['x'.repeat(128), '2'],
      ['\u{1F600}', '1'],
    ])
  })

  it('survives a client that sends its request byte by byte, and one that sends garbage', async () => {
    const { url } = await endpoint()
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    onTestFinished(() => {
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.write('GET /metrics HTTP/1.1\r\nHo')
    const garbage = connect(Number(port), '127.0.0.1')
    garbage.on('error', () => undefined)
    garbage.write('\0\xFF\n\n\n')
    expect((await get(url)).status).toBe(200)
    garbage.destroy()
  })
})

describe('a flood of connections', () => {
  /** Opens connections that say nothing, and for each that is closed another; returns how many were. */
  function flood(url: string, count: number): () => number {
    const sockets = new Set<Socket>()
    let cut = 0
    let isOver = false
    const open = (): void => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.on('connect', () => sockets.add(socket))
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        cut += 1
        if (!isOver) open()
      })
    }
    for (let index = 0; index < count; index += 1) open()
    onTestFinished(() => {
      isOver = true
      for (const socket of sockets) socket.destroy()
    })
    return () => cut
  }

  it('that say nothing keeps no scraper out, and is told once', async () => {
    const { url, errors } = await endpoint()
    const cut = flood(url, 120)
    await vi.waitFor(() => {
      expect(cut()).toBeGreaterThan(20)
    })
    for (let scrape = 0; scrape < 20; scrape += 1) expect((await get(url)).status).toBe(200)
    expect(errors).toEqual([
      '100 connections are open: the oldest that asks for nothing gives way to each new one',
    ])
  })

  it('does not cut off a scraper that keeps its connection', async () => {
    const { url } = await endpoint()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => {
      agent.destroy()
    })
    expect((await get(url, { agent })).status).toBe(200)
    const [kept] = Object.values(agent.freeSockets).flat()
    const cut = flood(url, 120)
    await vi.waitFor(() => {
      expect(cut()).toBeGreaterThan(20)
    })
    expect((await get(url, { agent })).status).toBe(200)
    expect(Object.values(agent.freeSockets).flat()).toEqual([kept])
  })

  it.skipIf(!hasOpenssl)('is no other over TLS', async () => {
    const at = certificates('server')
    writeFileSync(at('web.yml'), 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n')
    const { url, errors } = await endpoint({ webConfigFile: at('web.yml') })
    const ca = readFileSync(at('server.pem'))
    for (let scrape = 0; scrape < 110; scrape += 1) expect((await get(url, { ca })).status).toBe(200)
    expect(errors).toEqual([])
    const cut = flood(url, 120)
    await vi.waitFor(() => {
      expect(cut()).toBeGreaterThan(20)
    })
    expect(errors).toHaveLength(1)
    // Elsewhere a machine has one address to itself.
    const from = process.platform === 'linux' ? { localAddress: '127.0.0.2' } : {}
    for (let scrape = 0; scrape < 20; scrape += 1) expect((await get(url, { ca, ...from })).status).toBe(200)
  })
})

describe('a port that is taken', () => {
  it('disturbs nothing: the run goes on and says so', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const machine = fakeMachine()
    const messages: string[] = []
    const say = (message: string): void => void messages.push(message)
    const logger = { debug: say, info: say, warn: say, error: say }
    const run = new EmissionsTracker({
      ...machine.options,
      logLevel: 'info',
      logger,
      prometheusPort: port,
    }).start()
    await vi.waitFor(() => {
      expect(messages.join()).toContain('taken')
    })
    machine.use(10)
    await run.stop()
    expect(run.finalEmissionsData?.cpuEnergy).toBeCloseTo(10 / 3.6e6, 12)
    expect(messages.join('\n')).toMatch(
      /prometheus_pull: 127\.0\.0\.1:\d+ is taken by another program or worker/,
    )
  })

  it('leaves the machine to a run that is seen, though the one without a port was there first', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const machine = fakeMachine()
    const first = new EmissionsTracker({
      ...machine.options,
      logLevel: 'critical',
      prometheusPort: port,
    }).start()
    const exporter = createPrometheusExporter()
    const second = new EmissionsTracker({ ...machine.options, exporters: [exporter] }).start()
    await vi.waitFor(
      async () => {
        expect((await exporter.metrics()).body).toContain('codecarbon_host_reporter{series="components"} 1\n')
      },
      { timeout: 10_000, interval: 100 },
    )
    machine.use(10)
    await Promise.all([first.stop(), second.stop()])
    expect((await exporter.metrics()).body).toMatch(/^hw_energy_joules_total\{.*hw_name="package-0".*\} 10$/m)
    expect(first.finalEmissionsData?.cpuEnergy).toBeCloseTo(10 / 3.6e6, 12)
  })

  it('is not shared by workers of a cluster: every scrape shows the run of the first, and the second is told', async () => {
    const folder = temporaryFolder()
    const { stdout, stderr, code } = await runProgram('cluster-serves-metrics.js', [], { folder })
    expect([code, stderr]).toEqual([0, ''])
    const { runs, messages } = JSON.parse(stdout) as { runs: string[]; messages: string[] }
    expect(runs).toHaveLength(6)
    expect(new Set(runs).size).toBe(1)
    expect(
      messages.filter((message) => message.includes('is taken by another program or worker')),
    ).toHaveLength(1)
  })
})

describe('the web configuration', () => {
  it('asks for names and passwords, and is read again when it changes', async () => {
    const file = join(temporaryFolder(), 'web.yml')
    writeFileSync(
      file,
      `basic_auth_users:\n  ada: ${await hash('secret', 4)}\nhttp_server_config:\n  headers:\n    x-frame-options: deny\n`,
    )
    const { url, errors } = await endpoint({ webConfigFile: file })
    const as = (user: string, password: string): Promise<Answer> => get(url, { auth: `${user}:${password}` })
    expect((await get(url)).status).toBe(401)
    expect((await as('ada', 'wrong')).status).toBe(401)
    expect((await as('eve', 'secret')).status).toBe(401)
    const answer = await as('ada', 'secret')
    expect([answer.status, answer.headers['x-frame-options']]).toEqual([200, 'deny'])
    writeFileSync(file, `basic_auth_users:\n  bob: ${await hash('other', 4)}\n`)
    expect((await as('ada', 'secret')).status).toBe(401)
    expect((await as('bob', 'other')).status).toBe(200)
    writeFileSync(file, 'basic_auth_users: [nonsense')
    expect((await as('bob', 'other')).status).toBe(200)
    expect(errors.join()).toContain(`web_config_file ${file}`)
    await vi.waitFor(
      async () => {
        expect((await as('bob', 'other')).body.toString()).toMatch(
          /^codecarbon_exporter_errors_total\{exporter="prometheus_pull"\} 1$/m,
        )
      },
      // What is shown is up to a second old.
      { timeout: 5000 },
    )
  })

  it('turns away who guesses passwords, and answers who has one', async () => {
    const file = join(temporaryFolder(), 'web.yml')
    writeFileSync(file, `basic_auth_users:\n  ada: ${await hash('secret', 11)}\n`)
    const { url } = await endpoint({ webConfigFile: file })
    const as = (password: string): Promise<Answer> => get(url, { auth: `ada:${password}` })
    expect((await as('secret')).status).toBe(200)
    const answers: Answer[] = []
    for (let round = 0; round < 20; round += 1) {
      answers.push(...(await Promise.all([1, 2, 3, 4, 5].map((guess) => as(`${round} ${guess}`)))))
      expect((await as('secret')).status).toBe(200)
    }
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]))
    const turnedAway = answers.filter(({ status }) => status === 503)
    expect(turnedAway.length).toBeGreaterThan(50)
    for (const { headers } of turnedAway) expect(headers['retry-after']).toMatch(/^[1-9]\d*$/)
  })

  it.each([
    ['basic_auth_users:\n  ada: plain', 'ada has no bcrypt hash'],
    ['tls_server_config:\n  cert_file: a.pem', 'expected cert_file and key_file'],
    [
      'tls_server_config:\n  cert_file: a.pem\n  key_file: b.pem\n  client_auth_type: Maybe',
      'expected one of',
    ],
    ['nonsense: 1', 'nonsense is not known'],
    ['- a', 'expected a mapping'],
  ])('that is wrong is no endpoint, and says what is wrong: %j', async (text, message) => {
    const file = join(temporaryFolder(), 'web.yml')
    writeFileSync(file, text)
    await expect(endpoint({ webConfigFile: file })).rejects.toThrow(message)
  })

  it.skipIf(!hasOpenssl)('turns TLS on, and asks clients for certificates', async () => {
    const at = certificates('server', 'client')
    writeFileSync(
      at('web.yml'),
      'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  client_ca_file: client.pem\n  client_auth_type: RequireAndVerifyClientCert\n',
    )
    const { url } = await endpoint({ webConfigFile: at('web.yml') })
    expect(url).toMatch(/^https:/)
    const ca = readFileSync(at('server.pem'))
    const [cert, key] = [readFileSync(at('client.pem')), readFileSync(at('client.key'))]
    expect((await get(url, { ca, cert, key })).status).toBe(200)
    await expect(get(url, { ca })).rejects.toThrow(/certificate|socket|ECONNRESET|EPIPE/i)
  })

  it.skipIf(!hasOpenssl)(
    'that asks clients for certificates from now on, or for none, is refused, and a new start takes it',
    async () => {
      const at = certificates('server', 'client')
      const file = at('web.yml')
      const tls = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n'
      const asking = `${tls}  client_ca_file: client.pem\n  client_auth_type: RequireAndVerifyClientCert\n`
      const ca = readFileSync(at('server.pem'))
      const client = { ca, cert: readFileSync(at('client.pem')), key: readFileSync(at('client.key')) }
      const told = `web_config_file ${file}: another tls_server_config.client_auth_type needs a new start; what was read before goes on`

      writeFileSync(file, tls)
      const open = await endpoint({ webConfigFile: file })
      expect((await get(open.url, { ca })).status).toBe(200)
      writeFileSync(file, asking)
      for (let scrape = 0; scrape < 3; scrape += 1) expect((await get(open.url, { ca })).status).toBe(200)
      expect(open.errors).toEqual([told])

      const closed = await endpoint({ webConfigFile: file })
      await expect(get(closed.url, { ca })).rejects.toThrow(/certificate|socket|ECONNRESET|EPIPE/i)
      writeFileSync(file, tls)
      for (let scrape = 0; scrape < 3; scrape += 1) expect((await get(closed.url, client)).status).toBe(200)
      await expect(get(closed.url, { ca })).rejects.toThrow(/certificate|socket|ECONNRESET|EPIPE/i)
      expect(closed.errors).toEqual([told])
    },
  )

  it.each([
    ['', 'it is empty'],
    ['# nothing\n', 'it is empty'],
    ['basic_auth_users:\n', 'it is empty'],
    [
      'http_server_config:\n  headers:\n    x-frame-options: deny\n',
      'asking for no passwords any more needs a new start',
    ],
    ['tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n', ''],
  ])('that would ask for no passwords any more is refused: %j', async (text, why) => {
    const file = join(temporaryFolder(), 'web.yml')
    writeFileSync(file, `basic_auth_users:\n  ada: ${await hash('secret', 4)}\n`)
    const { url, errors } = await endpoint({ webConfigFile: file })
    writeFileSync(file, text)
    for (let scrape = 0; scrape < 2; scrape += 1) expect((await get(url)).status).toBe(401)
    expect((await get(url, { auth: 'ada:secret' })).status).toBe(200)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(why)
    expect(errors[0]).toMatch(/what was read before goes on$/)
  })

  it('that is empty at the start is said', async () => {
    const file = join(temporaryFolder(), 'web.yml')
    writeFileSync(file, '')
    const { url, errors } = await endpoint({ webConfigFile: file })
    expect((await get(url)).status).toBe(200)
    expect(errors).toEqual([`web_config_file ${file} is empty: everybody who reaches the port may look`])
    writeFileSync(file, `basic_auth_users:\n  ada: ${await hash('secret', 4)}\n`)
    expect((await get(url)).status).toBe(401)
  })
})

describe('the exporter in a server of the program itself', () => {
  it('answers requests, and fills a registry of the program', async () => {
    const machine = fakeMachine()
    const exporter = createPrometheusExporter()
    const registry = new Registry()
    new Counter({ name: 'own_total', help: 'own', registers: [registry] }).inc()
    await exporter.collectInto(registry)
    const run = new EmissionsTracker({ ...machine.options, exporters: [exporter] }).start()
    machine.use(5)
    run.startTask('epoch').stop()
    const server = createServer(exporter.handler)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const text = (await get(`http://127.0.0.1:${port}/metrics`)).body.toString()
    expect(text).toMatch(/hw_energy_joules_total\{.*\} 5$/m)
    const own = await registry.metrics()
    expect(own).toContain('own_total 1')
    expect(own).toMatch(/hw_energy_joules_total\{.*\} 5$/m)
    expect(own).toMatch(/codecarbon_task_duration_seconds_count\{task="epoch"\} 1/)
    await run.stop()
    expect((await exporter.metrics()).body).toMatch(/hw_energy_joules_total\{.*\} 5$/m)
  })
})
