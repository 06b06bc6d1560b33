// A server of Hono that sends itself some requests, and tells what each route has used.
//
//   npm install hono @hono/node-server
//   node examples/http/hono.mjs
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { EmissionsTracker } from 'codecarbon'
import { carbon } from 'codecarbon/hono'

const tracker = new EmissionsTracker({
  projectName: 'hono',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()

const app = new Hono()
app.use(carbon({ tracker, exclude: ['/health'] }))
app.get('/health', (context) => context.text('well'))
app.get('/hello/:name', (context) => context.text(`Hello ${context.req.param('name')}`))
app.get('/primes/:limit', (context) => context.text(String(countPrimes(Number(context.req.param('limit'))))))

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
await new Promise((resolve) => server.once('listening', resolve))
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
for (let round = 1; round <= 20; round += 1)
  for (const path of ['/health', `/hello/${round}`, `/primes/${round * 1e5}`, `/missing/${round}`])
    await fetch(url + path).then((response) => response.text())
await new Promise((resolve) => server.close(resolve))

await tracker.stop()
for (const { name, count, outcomes, energyJoules } of tracker.finalEmissionsData?.scopes ?? []) {
  const energy = energyJoules === undefined ? 'unmeasured' : `${energyJoules.toFixed(3)} J`
  console.log(`${name.padEnd(28)} ${count} requests, ${Object.keys(outcomes).join()}  ${energy}`)
}

/** @param {number} limit */
function countPrimes(limit) {
  const isComposite = new Uint8Array(limit)
  let primes = 0
  for (let n = 2; n < limit; n += 1) {
    if (isComposite[n] === 1) continue
    primes += 1
    for (let multiple = n * n; multiple < limit; multiple += n) isComposite[multiple] = 1
  }
  return primes
}
