// A server of node:http that sends itself some requests, and tells what each route has used. The same measures whatever else is built on node:http.
//
//   node examples/http/node-http.mjs
import { createServer } from 'node:http'
import { EmissionsTracker } from 'codecarbon'
import { trackHttpServers } from 'codecarbon/http'

const tracker = new EmissionsTracker({
  projectName: 'node:http',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()

// At this level nobody knows of routes: a name is of few values, so it has no part of the address as it came.
const routes = ['/hello/', '/primes/']
const tracking = trackHttpServers({
  tracker,
  exclude: ['/health'],
  route({ url }) {
    const route = routes.find((start) => url?.startsWith(start))
    return route === undefined ? undefined : `${route}:word`
  },
})

const server = createServer(({ url = '' }, response) => {
  const [, first, word = ''] = url.split('/')
  if (first === 'health') response.end('well')
  else if (first === 'hello') response.end(`Hello ${word}`)
  else if (first === 'primes') response.end(String(countPrimes(Number(word))))
  else response.writeHead(404).end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
for (let round = 1; round <= 20; round += 1)
  for (const path of ['/health', `/hello/${round}`, `/primes/${round * 1e5}`, `/missing/${round}`])
    await fetch(url + path).then((response) => response.text())
await new Promise((resolve) => server.close(resolve))
tracking.stop()

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
