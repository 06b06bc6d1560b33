// A server of Fastify that sends itself some requests, and tells what each route has used.
//
//   npm install fastify
//   node examples/http/fastify.mjs
import { fastify } from 'fastify'
import { EmissionsTracker } from 'codecarbon'
import { carbon } from 'codecarbon/fastify'

const tracker = new EmissionsTracker({
  projectName: 'fastify',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()

const app = fastify()
await app.register(carbon, { tracker, exclude: ['/health'] })
app.get('/health', async () => 'well')
app.get('/hello/:name', async ({ params }) => `Hello ${Object(params).name}`)
app.get('/primes/:limit', async ({ params }) => String(countPrimes(Number(Object(params).limit))))

const url = await app.listen({ host: '127.0.0.1', port: 0 })
for (let round = 1; round <= 20; round += 1)
  for (const path of ['/health', `/hello/${round}`, `/primes/${round * 1e5}`, `/missing/${round}`])
    await fetch(url + path).then((response) => response.text())
await app.close()

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
