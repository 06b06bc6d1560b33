// The spool of the CodeCarbon API: what a slice costs that is added to it, and how long it takes to deliver 10,000 of them to a local server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../build/core/clock.js'
import { connect } from '../build/exporters/api/connect.js'
import { RunFile } from '../build/exporters/api/run-file.js'
import { openSpool } from '../build/exporters/api/spool.js'
import { compare } from './measure.js'

const slices = 10_000

/** @param {number} n */
const sliceOf = (n) => ({
  n,
  wallMs: 1.8e12 + n * 15_000,
  seconds: 15,
  wue: 0,
  sums: { seconds: 15 * n, emissions: 1e-7 * n, cpu: 1.1e-5 * n, gpu: 0, ram: 2e-6 * n, energy: 1.3e-5 * n },
  means: { cpuWatts: 27.1, gpuWatts: 0, ramWatts: 3.3, cpuPercent: 42.1, gpuPercent: 0, ramPercent: 31.2 },
})

/** @returns {Promise<import('./measure.js').Row[]>} */
export async function benchApi() {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  const server = spawn(process.execPath, [fileURLToPath(new URL('api-server.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const alive = setInterval(() => undefined, 1000)
  try {
    const [port] = await once(server.stdout, 'data')
    const endpoint = `http://127.0.0.1:${String(port).trim()}`
    const seconds = await deliver(folder, endpoint)
    const plain = await postPlainly(endpoint)
    return [
      ...append(folder),
      {
        what: 'API: 10,000 slices delivered one after the other; as many plain requests of node:http',
        ours: `${seconds.toFixed(1)} s`,
        base: `${plain.toFixed(1)} s`,
        result: `${(seconds / plain).toFixed(2)}x`,
        goal: 'below 10 s',
      },
    ]
  } finally {
    clearInterval(alive)
    server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} folder */
function append(folder) {
  const fill = (/** @type {string} */ name, /** @type {number} */ count) => {
    const file = RunFile.begin(join(folder, name), { endpoint: 'http://api.test', run: {} })
    let n = 0
    const add = () => {
      n += 1
      file.add(sliceOf(n))
    }
    while (n < count) add()
    return { file, add }
  }
  const [long, short] = [fill('long.jsonl', 18_000), fill('short.jsonl', 1)]
  const times = compare(long.add, short.add, { rounds: 30, calls: 30 })
  for (const { file } of [long, short]) file.close(true)
  return [
    {
      what: 'API: a slice added to the spool behind 18,000; behind one',
      ours: `${times.first.toFixed(0)} us`,
      base: `${times.second.toFixed(0)} us`,
      result: `${times.ratio.toFixed(2)}x`,
      goal: 'about 1x',
    },
  ]
}

/** @param {string} folder @param {string} endpoint */
async function deliver(folder, endpoint) {
  const spool = openSpool({ folder, nowMs: Date.now, onGivenUp: console.error })
  const file = spool.begin('delivered', { endpoint, run: { experiment_id: 'bench' } })
  for (let n = 1; n <= slices; n += 1) file.add(sliceOf(n))
  const connection = connect({
    ...{ endpoint, spool, clock: systemClock, apiKey: undefined },
    onTrouble: ({ message }) => {
      throw new Error(message)
    },
    onRecovery: () => undefined,
    onSkew: () => undefined,
    onMayComeTwice: () => undefined,
  })
  const { courier } = connection
  courier.carry(file)
  courier.endOwn()
  const begun = performance.now()
  await courier.drain(600_000, 'own')
  const seconds = (performance.now() - begun) / 1000
  if (courier.sent !== slices) throw new Error(`${courier.sent} slices were sent`)
  connection.close()
  file.close(true)
  return seconds
}

/** @param {string} endpoint */
async function postPlainly(endpoint) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const body = JSON.stringify({
    ...sliceOf(1).sums,
    ...sliceOf(1).means,
    run_id: 'r',
    timestamp: 't',
    wue: 0,
  })
  const begun = performance.now()
  for (let n = 0; n < slices; n += 1) {
    await new Promise((resolve, reject) => {
      const post = request(`${endpoint}/emissions`, { method: 'POST', agent }, (response) => {
        response.resume().once('end', resolve)
      })
      post.once('error', reject).end(body)
    })
  }
  agent.destroy()
  return (performance.now() - begun) / 1000
}
