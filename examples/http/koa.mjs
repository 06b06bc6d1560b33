// A server of Koa that sends itself some requests, and tells what each route has used.
//
//   npm install koa @koa/router
//   node examples/http/koa.mjs
import Router from '@koa/router'
import Koa from 'koa'
import { EmissionsTracker } from 'codecarbon'
import { carbon } from 'codecarbon/koa'

const tracker = new EmissionsTracker({
  projectName: 'koa',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()

const router = new Router()
router.get('/health', (context) => {
  context.body = 'well'
})
router.get('/hello/:name', (context) => {
  context.body = `Hello ${context.params.name}`
})
router.get('/primes/:limit', (context) => {
  context.body = String(countPrimes(Number(context.params.limit)))
})
const app = new Koa()
app.use(carbon({ tracker, exclude: ['/health'] }))
app.use(router.routes())

const server = app.listen(0, '127.0.0.1')
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
