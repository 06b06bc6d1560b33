// A monitor at 1 Hz with everything on that operators ask, beside one that only measures, and a process of Node that does nothing.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const settleMs = 10_000
const measureMs = 60_000
/** Of `utime` and `stime` in proc_pid_stat(5), on every architecture that Node runs on. */
const ticksPerSecond = 100

/** @returns {Promise<import('./measure.js').Row[]>} */
export async function benchMonitor() {
  if (process.platform !== 'linux') return []
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  const collector = createServer((request, response) => {
    request.resume().once('end', () => response.end())
  })
  await new Promise((resolve) => collector.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = collector.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const measuring = [
    cli,
    'monitor',
    '--country-iso-code',
    'FRA',
    '--log-format',
    'text',
    '--output-dir',
    folder,
  ]
  try {
    const [bare, plain, watched] = await Promise.all([
      cost(folder, ['-e', 'setInterval(() => undefined, 1000)']),
      cost(folder, measuring),
      cost(folder, [...measuring, '--otlp', '--prometheus-port', String(20_000 + (process.pid % 10_000))], {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_METRIC_EXPORT_INTERVAL: '10000',
      }),
    ])
    const share = (/** @type {number} */ value) => `${(value * 100).toFixed(2)} %`
    const megabytes = (/** @type {number} */ value) => `${value.toFixed(1)} MB`
    return [
      row(
        'monitor at 1 Hz with pull and OTLP; without, share of a core',
        share,
        plain.cpu,
        watched.cpu,
        '<= 0.3 %',
      ),
      row('the same, memory; bare Node', megabytes, bare.memory, watched.memory, '<= 60 MB'),
    ]
  } finally {
    collector.close()
    collector.closeAllConnections()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} what @param {(value: number) => string} show @param {number} base @param {number} ours @param {string} goal */
const row = (what, show, base, ours, goal) => ({
  what,
  ours: show(ours),
  base: show(base),
  result: show(ours),
  goal,
})

/**
 * Share of a core that a process takes once it has settled, and its memory in megabytes at the end.
 * @param {string} home @param {readonly string[]} args @param {Record<string, string>} [env]
 */
async function cost(home, args, env = {}) {
  const child = spawn(process.execPath, args, {
    cwd: home,
    env: { ...process.env, ...env, HOME: home },
    stdio: 'ignore',
  })
  try {
    await sleep(settleMs)
    const begin = { cpu: cpuSeconds(child.pid), at: performance.now() }
    await sleep(measureMs)
    const elapsed = (performance.now() - begin.at) / 1000
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
    return { cpu: (cpuSeconds(child.pid) - begin.cpu) / elapsed, memory: (Number(kilobytes) * 1024) / 1e6 }
  } finally {
    child.kill()
  }
}

/** @param {number | undefined} pid */
function cpuSeconds(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
