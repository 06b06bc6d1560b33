// What scrapes cost a monitor of a machine with two processors and eight cards: 50 a second, for some seconds, against none.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'

const cards = 8
const perSecond = 50
const seconds = 10
/** Of CPU time in /proc: USER_HZ, which Linux has fixed for programs. */
const ticksPerSecond = 100
/** Prometheus keeps its connections too. */
const agent = new Agent({ keepAlive: true })

/** @returns {Promise<import('./measure.js').Row[]>} */
export async function benchScrape() {
  if (process.platform !== 'linux') {
    console.error('no /proc: the scrapes are left out')
    return []
  }
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  const port = await freePort()
  const { sysfs, timer } = processors(folder)
  const child = spawn(
    process.execPath,
    [
      ...[
        fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)),
        'monitor',
        '--offline',
        '--country-iso-code',
      ],
      ...[
        'FRA',
        '--measure-power-secs',
        '1',
        '--output-methods',
        'prometheus_pull',
        '--prometheus-port',
        String(port),
      ],
    ],
    {
      stdio: ['ignore', 'ignore', 'ignore'],
      cwd: folder,
      env: {
        ...process.env,
        HOME: folder,
        XDG_STATE_HOME: folder,
        CODECARBON_SYSFS_PATH: sysfs,
        ...library(folder),
      },
    },
  )
  try {
    await whole(port)
    const { pid = 0 } = child
    const before = cpuTime(pid)
    await wait(seconds * 1000)
    const idle = cpuTime(pid) - before
    const latencies = await scrapes(port)
    const busy = cpuTime(pid) - before - idle
    const text = await scrape(port)
    const sorted = latencies.toSorted((one, other) => one - other)
    const at = (/** @type {number} */ share) =>
      (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1)
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
    return [
      {
        what: `monitor: ${perSecond} scrapes/s of ${series} series for ${seconds} s, CPU time; without`,
        ours: `${busy.toFixed(2)} s`,
        base: `${idle.toFixed(2)} s`,
        result: `${(((busy - idle) * 1000) / latencies.length).toFixed(2)} ms each`,
        goal: '<= 1 ms each',
      },
      {
        what: 'the same: answered, of so many',
        ours: String(latencies.length),
        base: String(perSecond * seconds),
        result: `${at(0.5)}/${at(0.99)} ms`,
        goal: 'all; median/99 %',
      },
    ]
  } finally {
    clearInterval(timer)
    child.kill('SIGKILL')
    agent.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Two packages with their memory, as powercap has them, whose counters move. @param {string} folder */
function processors(folder) {
  const sysfs = join(folder, 'sys')
  /** @type {string[]} */
  const counters = []
  for (const [zone, name] of [
    ['intel-rapl:0', 'package-0'],
    ['intel-rapl:0:0', 'dram'],
    ['intel-rapl:1', 'package-1'],
    ['intel-rapl:1:0', 'dram'],
  ]) {
    const path = join(sysfs, 'class/powercap', zone ?? '')
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'name'), `${name}\n`)
    writeFileSync(join(path, 'max_energy_range_uj'), '65532610987\n')
    counters.push(join(path, 'energy_uj'))
  }
  const move = () => {
    for (const counter of counters) writeFileSync(counter, `${Math.round(performance.now() * 1e5)}\n`)
  }
  move()
  return { sysfs, timer: setInterval(move, 200) }
}

/** A library of cards, where it can be compiled. @param {string} folder @returns {Record<string, string>} */
function library(folder) {
  if (!hasCards()) {
    console.error('no C compiler (cc): the scrapes are of a machine without cards')
    return {}
  }
  const path = join(folder, 'libnvidia-ml.so.1')
  const source = fileURLToPath(new URL('../test/fixtures/nvml/fake-nvml.c', import.meta.url))
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', path, source])
  return { CODECARBON_NVML_LIBRARY_PATH: path, FAKE_NVML_DEVICES: String(cards) }
}

/** Whether the library of cards can be compiled. */
const hasCards = () => spawnSync('cc', ['--version']).status === 0

/** @param {number} pid @returns {number} seconds */
function cpuTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** The metrics when all devices are there, of which cards come last. @param {number} port @returns {Promise<string>} */
async function whole(port) {
  const last = hasCards() ? 'hw_type="gpu"' : 'hw_type="memory"'
  for (;;) {
    const text = await scrape(port).catch(() => '')
    if (text.includes(last)) return text
    await wait(200)
  }
}

/** Milliseconds of each scrape that was answered, begun at even times whether the last one is over or not. @param {number} port */
async function scrapes(port) {
  /** @type {number[]} */
  const latencies = []
  /** @type {Promise<void>[]} */
  const asked = []
  const begin = performance.now()
  for (let count = 0; count < perSecond * seconds; count += 1) {
    await wait(Math.max(0, begin + (count * 1000) / perSecond - performance.now()))
    const from = performance.now()
    asked.push(
      scrape(port).then(
        () => void latencies.push(performance.now() - from),
        () => undefined,
      ),
    )
  }
  await Promise.all(asked)
  return latencies
}

/** @param {number} port @returns {Promise<string>} */
async function scrape(port) {
  const response = await new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path: '/metrics', agent, timeout: 5000 }, resolve)
    request.on('timeout', () => request.destroy()).on('error', reject)
  })
  let text = ''
  for await (const part of response) text += String(part)
  return text
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  })
