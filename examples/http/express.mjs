// A server of Express that sends itself some requests, and tells what each route has used.
//
//   npm install express
//   node examples/http/express.mjs
import express, { Router } from 'express'
import { EmissionsTracker } from 'codecarbon'
import { carbon, scopeOf } from 'codecarbon/express'

const tracker = new EmissionsTracker({
  projectName: 'express',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()

const app = express()
app.use(carbon({ tracker, exclude: ['/health'] }))
app.get('/health', (_request, response) => response.send('well'))
app.get('/hello/:name', (request, response) => response.send(`Hello ${request.params.name}`))
const numbers = Router()
numbers.get('/primes/:limit', (request, response) => {
  // What is counted here makes the SCI: so and so many grams for each prime.
  const primes = countPrimes(Number(request.params.limit))
  scopeOf(request)?.countFunctionalUnits(primes)
  response.send(String(primes))
})
app.use('/numbers', numbers)

const server = app.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
for (let round = 1; round <= 20; round += 1)
  for (const path of ['/health', `/hello/${round}`, `/numbers/primes/${round * 1e5}`, `/missing/${round}`])
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
