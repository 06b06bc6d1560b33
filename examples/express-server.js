// A server of Express that sends itself some requests and prints what each route has used.
//
//   node examples/express-server.js
import express, { Router } from 'express'
import { EmissionsTracker } from 'codecarbon'
import { carbon, scopeOf } from 'codecarbon/express'

const tracker = new EmissionsTracker({ projectName: 'shop', logLevel: 'warning', outputMethods: [] }).start()

/** Every request that was measured. @type {import('codecarbon').WorkScope[]} */
const measured = []
const app = express()
app.use(
  carbon({
    tracker: {
      beginScope(options) {
        const scope = tracker.beginScope(options)
        measured.push(scope)
        return scope
      },
    },
    exclude: ['/health'],
  }),
)
app.get('/health', (_request, response) => response.send('well'))
app.get('/prices/:id', (request, response) => response.send(`${count(200_000)} for ${request.params.id}`))
const reports = Router()
reports.get('/:year', (request, response) => {
  scopeOf(request)?.countFunctionalUnits()
  response.send(String(count(20_000_000)))
})
app.use('/shops/:shop/reports', reports)

const server = app.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const address = server.address()
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
for (let round = 1; round <= 20; round += 1) {
  for (const path of ['/health', `/prices/${round}`, `/shops/${round}/reports/2025`, `/nothing/${round}`])
    await fetch(url + path).then((response) => response.text())
}
await new Promise((resolve) => server.close(resolve))

/** Requests and joules by name. @type {Record<string, { requests: number, joules: number }>} */
const byRoute = {}
for (const scope of measured) {
  const record = await scope.settled()
  const sum = (byRoute[`${scope.name} ${record?.outcome ?? ''}`] ??= { requests: 0, joules: 0 })
  sum.requests += 1
  sum.joules += record?.energyJoules ?? NaN
}
await tracker.stop()
for (const [name, { requests, joules }] of Object.entries(byRoute))
  console.log(`${name.padEnd(40)} ${requests} requests  ${joules.toFixed(3).padStart(8)} J`)

/** Something to do. @param {number} times */
function count(times) {
  let sum = 0
  for (let index = 0; index < times; index += 1) sum += Math.sqrt(index)
  return sum
}
