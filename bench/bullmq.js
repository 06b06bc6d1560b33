// Jobs of BullMQ that do nothing, on a real Redis: how many a second bare, with telemetry, and with the hook. `npm run bench:bullmq`; needs redis-server.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { makeReady } from '../scripts/ready.js'
import { median } from './measure.js'

makeReady()

const jobCount = Number(process.env.JOBS ?? 4000)
const rounds = Number(process.env.ROUNDS ?? 15)
const program = fileURLToPath(new URL('./bullmq/worker.js', import.meta.url))
const variants = {
  bare: 'bare',
  again: 'bare once more: how far off the same is',
  context: 'an AsyncLocalStorage around the processor: what Node takes for any currentScope()',
  hook: 'the hook, or withCarbon around the processor',
  empty: 'telemetry that does nothing: what BullMQ takes for it',
  telemetry: 'carbonTelemetry',
}
/** @typedef {keyof typeof variants} Variant */
const names = /** @type {Variant[]} */ (Object.keys(variants))

const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
const port = await freePort()
const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
})
await Promise.race([
  once(redis, 'error').then(([error]) => {
    throw error
  }),
  new Promise((resolve) => {
    redis.stdout.on('data', (text) => String(text).includes('Ready') && resolve(undefined))
  }),
])

/**
 * Jobs a second, which others on the machine change as well, and microseconds of CPU time for each, which they change less.
 * @param {Variant} variant @returns {Promise<{ rate: number, cpu: number }>}
 */
async function runJobs(variant) {
  const args = [program, variant, String(port), String(jobCount)]
  const env = { ...process.env, CODECARBON_OUTPUT_DIR: folder, CODECARBON_HOST_REPORTER_GROUP: folder }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  return JSON.parse(stdout)
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(free))
    })
  })
}

try {
  /** @type {Record<Variant, { rate: number, cpu: number }[]>} */
  const results = { bare: [], again: [], context: [], hook: [], empty: [], telemetry: [] }
  for (let round = 0; round < rounds; round += 1) {
    const shift = round % names.length
    for (const variant of [...names.slice(shift), ...names.slice(0, shift)])
      results[variant].push(await runJobs(variant))
  }
  console.log(
    `node ${process.version}; ${jobCount} jobs that do nothing, 20 at a time, median of ${rounds} rounds in turn, each in a process of its own\n`,
  )
  const rate = (/** @type {Variant} */ variant) => median(results[variant].map((one) => one.rate))
  const cpu = (/** @type {Variant} */ variant) => median(results[variant].map((one) => one.cpu))
  for (const variant of names)
    console.log(
      `${variant.padEnd(9)}  ${rate(variant).toFixed(0).padStart(6)} jobs/s  ${((1 - rate(variant) / rate('bare')) * 100).toFixed(1).padStart(5)} % fewer  ${cpu(variant).toFixed(0).padStart(5)} us of CPU time a job  ${((cpu(variant) / cpu('bare') - 1) * 100).toFixed(1).padStart(5)} % more  ${variants[variant]}`,
    )
  console.log('\nGoal of hook and telemetry: <= 2 % fewer')
} finally {
  redis.kill()
  rmSync(folder, { recursive: true, force: true })
}
