// Answers a question with functions that Opik traces, and puts the energy of each on its span. Without an account a server in this program takes what Opik sends.
//
//   npm install opik zod
//   node examples/trackers/opik.mjs
//   OPIK_API_KEY=… OPIK_WORKSPACE=… node examples/trackers/opik.mjs
import { createServer } from 'node:http'
import { flushAll, getTrackContext, setLoggerLevel, track } from 'opik'
import { EmissionsTracker } from 'codecarbon'
import { withCarbon } from 'codecarbon/opik'

setLoggerLevel('ERROR')
process.env.OPIK_PROJECT_NAME ??= 'codecarbon examples'
const hasOpik = ['OPIK_API_KEY', 'OPIK_URL_OVERRIDE'].some((name) => process.env[name] !== undefined)
const standIn = createServer((request, response) => {
  request.resume()
  response.setHeader('content-type', 'application/json').end('{}')
})
if (!hasOpik) {
  await new Promise((resolve) => standIn.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = standIn.address()
  process.env.OPIK_URL_OVERRIDE = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

const tracker = new EmissionsTracker({
  projectName: 'answers',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
  exporters: [
    {
      name: 'console',
      export() {},
      onTask({ taskName, energyConsumed }) {
        const energy =
          energyConsumed === undefined ? 'unmeasured' : `${(energyConsumed * 3.6e6).toFixed(2)} J`
        console.log(`${taskName.padEnd(10)} ${energy}`)
      },
    },
  ],
}).start()
const options = { tracker, getTrackContext, score: true }

const documents = Array.from({ length: 500_000 }, (_, index) => `Document ${index} is about ${index % 997}`)
const search = track(
  { name: 'search' },
  withCarbon({ ...options, name: 'search' }, async (/** @type {string} */ wanted) => {
    const found = documents.filter((text) => text.split(' ').includes(wanted))
    return { count: found.length, first: found[0] }
  }),
)
const answer = track(
  { name: 'answer' },
  withCarbon({ ...options, name: 'answer' }, async (/** @type {string} */ wanted) => {
    const { count, first } = await search(wanted)
    return { text: `${count} documents are about ${wanted}, such as ${first}` }
  }),
)
for (const wanted of ['1', '2', '3']) console.log((await answer(wanted)).text)

await flushAll()
await tracker.stop()
standIn.close()
standIn.closeAllConnections()
