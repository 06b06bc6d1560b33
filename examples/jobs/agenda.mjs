// Runs jobs of Agenda, which it keeps in Redis here, and tells the energy of each. With MongoDB or PostgreSQL it is the same.
//
//   npm install agenda @agendajs/redis-backend
//   REDIS_URL=redis://127.0.0.1:6379 node examples/jobs/agenda.mjs
import { RedisBackend } from '@agendajs/redis-backend'
import { Agenda } from 'agenda'
import { createHash } from 'node:crypto'
import { EmissionsTracker, withCarbon } from 'codecarbon'

const { REDIS_URL } = process.env
if (REDIS_URL === undefined) {
  console.error(
    'Set REDIS_URL to the address of a Redis, for example redis://127.0.0.1:6379 (apt install redis-server, or docker run -p 6379:6379 redis)',
  )
  process.exit(1)
}

const tracker = new EmissionsTracker({
  projectName: 'agenda',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()
const backend = new RedisBackend({
  connectionString: REDIS_URL,
  keyPrefix: `codecarbon-example-${process.pid}:`,
})
const agenda = new Agenda({ backend, processEvery: 200 })
agenda.on('error', console.error)

let left = 4
/** @param {import('codecarbon').ScopeRecord} record */
const onRecord = ({ name, outcome, durationSeconds, energyJoules }) => {
  const energy = energyJoules === undefined ? 'unmeasured' : `${energyJoules.toFixed(2)} J`
  console.log(`${name.padEnd(8)}  ${outcome.padEnd(5)}  ${durationSeconds.toFixed(2)} s  ${energy}`)
  left -= 1
}
/** @typedef {{ attrs: { data: { rounds: number } } }} Job */
agenda.define(
  'hash',
  withCarbon('hash', async (/** @type {Job} */ { attrs }) => void hash(attrs.data.rounds), {
    tracker,
    onRecord,
  }),
)
agenda.define(
  'failing',
  withCarbon('failing', async () => Promise.reject(new Error('as it should')), { tracker, onRecord }),
)

await agenda.start()
for (const rounds of [100_000, 200_000, 400_000]) await agenda.now('hash', { rounds })
await agenda.now('failing', {})
while (left > 0) await new Promise((resolve) => setTimeout(resolve, 100))
await agenda.cancel({ names: ['hash', 'failing'] })
await agenda.stop()
await tracker.stop()
// Agenda has timers that go on for minutes.
process.exit()

/** @param {number} rounds */
function hash(rounds) {
  let text = ''
  for (let round = 0; round < rounds; round += 1) text = createHash('sha512').update(text).digest('hex')
  return text
}
