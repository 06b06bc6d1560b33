import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentPort } from '../fixtures/bad-network.ts'
import { runCli, startCli } from '../fixtures/programs/child.ts'
import { freePort, until } from '../fixtures/programs/prometheus.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const errorsOf = (text: string): Record<string, number> =>
  Object.fromEntries(
    [...text.matchAll(/^codecarbon_exporter_errors_total\{exporter="(\w+)"\} (\d+)$/gm)].map(
      ([, name, count]) => [name ?? '', Number(count)],
    ),
  )

/** A client that says something, or nothing, and never reads. */
function client(port: number, says = ''): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(says)
      resolve(socket)
    })
    socket.pause()
    socket.on('error', () => undefined)
    onTestFinished(() => {
      socket.destroy()
    })
  })
}

/** The metrics, or why there are none. */
const scrape = (port: number): Promise<string> =>
  new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path: '/metrics', agent: false, timeout: 2000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => {
        resolve(text)
      })
      response.on('error', (error) => {
        resolve(error.message)
      })
    })
      .on('timeout', function timeout(this: { destroy(): void }) {
        this.destroy()
      })
      .on('error', (error) => {
        resolve(error.message)
      })
  })

describe('a command whose every output fails', () => {
  it('is not disturbed: its streams and exit code stand, each failure is a sentence, and the metrics count it', async () => {
    const folder = temporaryFolder()
    const [taken, silent] = [await silentPort(), await silentPort()]
    const nobody = await freePort()
    const { code, stdout, stderr } = await runCli(
      [
        ...['run', '--country-iso-code', 'FRA', '--measure-power-secs', '0.2', '--api-call-interval', '1'],
        ...['--output-methods', 'csv,prometheus_pull,prometheus,otlp', '--output-dir', '/dev/null/nowhere'],
        ...['--prometheus-port', String(taken), '--prometheus-url', `http://127.0.0.1:${nobody}`],
        ...['--emissions-endpoint', `http://127.0.0.1:${silent}/`],
        ...['--prometheus-textfile', join(folder, 'codecarbon.prom'), '--'],
        ...[process.execPath, '-e', 'setTimeout(() => { console.log("done"); process.exitCode = 7 }, 2500)'],
      ],
      {
        folder,
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${nobody}`,
          OTEL_METRIC_EXPORT_INTERVAL: '500',
          OTEL_METRIC_EXPORT_TIMEOUT: '400',
        },
      },
    )
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'done\n' })
    expect(stderr).toMatch(
      /prometheus_pull: 127\.0\.0\.1:\d+ is taken by another program or worker: give another prometheus_port/,
    )
    expect(stderr).toMatch(
      /output prometheus: .*127\.0\.0\.1:\d+ cannot be reached: the connection was refused/,
    )
    expect(stderr).toMatch(/output otlp: /)
    expect(stderr).toMatch(/CodeCarbon/)
    expect(errorsOf(readFileSync(join(folder, 'codecarbon.prom'), 'utf8'))).toMatchObject({
      prometheus_pull: 1,
      prometheus: expect.any(Number) as number,
      otlp: expect.any(Number) as number,
    })
  })
})

describe('the endpoint of a monitor', { timeout: 120_000 }, () => {
  it('answers again soon after clients that never end their requests, that never read, and that are too many', async () => {
    const port = await freePort()
    startCli(
      [
        ...['monitor', '--offline', '--country-iso-code', 'FRA', '--measure-power-secs', '1'],
        ...['--prometheus-port', String(port), '--output-methods', 'prometheus_pull'],
      ],
      { folder: temporaryFolder(), input: '' },
    )
    await until(async () => (await scrape(port)).includes('codecarbon_build_info{'))

    // Thousands of requests at a time, and not a byte of their answers read.
    const many = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2000)
    const greedy = await Promise.all(Array.from({ length: 40 }, () => client(port, many)))
    const asked = performance.now()
    await until(async () => (await scrape(port)).includes('codecarbon_build_info{'))
    // To answer them all would take most of a minute.
    expect(performance.now() - asked).toBeLessThan(8000)
    // Half of a request, or nothing at all, by more clients than there is room for.
    const halves = await Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        client(port, index % 2 === 0 ? 'GET /metrics HTTP/1.1\r\nHo' : ''),
      ),
    )
    const clients = [...greedy, ...halves]
    const begin = performance.now()
    await until(async () => errorsOf(await scrape(port))['prometheus_pull'] === 1)
    const seconds = (performance.now() - begin) / 1000
    console.log(`answers again after ${seconds.toFixed(1)} s, and has told of it`)
    expect(seconds).toBeLessThan(20)
    // All of them are cut off, those too that would be waited for for ever.
    await until(() => {
      for (const socket of clients) socket.resume()
      return Promise.resolve(clients.every(({ destroyed, readableEnded }) => destroyed || readableEnded))
    })
  })
})
