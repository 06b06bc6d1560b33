// Works on two queues of pg-boss, and tells the energy of each job, and of all jobs of a queue at the end. Needs Node.js 22.12.
//
//   npm install pg-boss
//   DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres node examples/jobs/pg-boss.mjs
import { createHash } from 'node:crypto'
import { PgBoss } from 'pg-boss'
import { EmissionsTracker } from 'codecarbon'
import { withCarbon } from 'codecarbon/pg-boss'

const { DATABASE_URL } = process.env
if (DATABASE_URL === undefined) {
  console.error(
    'Set DATABASE_URL to the address of a PostgreSQL, for example postgres://postgres@127.0.0.1:5432/postgres (apt install postgresql, or docker run -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres)',
  )
  process.exit(1)
}

const tracker = new EmissionsTracker({
  projectName: 'pg-boss',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
}).start()
const boss = new PgBoss({ connectionString: DATABASE_URL, schema: `codecarbon_example_${process.pid}` })
boss.on('error', console.error)
await boss.start()

let left = 6
/** @param {import('codecarbon').ScopeRecord} record */
const tell = ({ name, outcome, durationSeconds, energyJoules }) => {
  const energy = energyJoules === undefined ? 'unmeasured' : `${energyJoules.toFixed(2)} J`
  console.log(`${name.padEnd(10)}  ${outcome}  ${durationSeconds.toFixed(2)} s  ${energy}`)
  left -= 1
}

const rounds = { thumbnail: 50_000, report: 300_000 }
for (const queue of /** @type {const} */ (['thumbnail', 'report'])) {
  await boss.createQueue(queue)
  for (let job = 1; job <= 3; job += 1) await boss.send(queue, { rounds: rounds[queue] })
  await boss.work(
    queue,
    { pollingIntervalSeconds: 0.5 },
    withCarbon(async ([job]) => hash(job?.data.rounds), {
      tracker,
      onRecord: tell,
    }),
  )
}
while (left > 0) await new Promise((resolve) => setTimeout(resolve, 100))

for (const queue of Object.keys(rounds)) await boss.offWork(queue)
await boss.getDb().executeSql(`DROP SCHEMA codecarbon_example_${process.pid} CASCADE`)
await boss.stop()
await tracker.stop()
for (const { name, count, energyJoules } of tracker.finalEmissionsData?.scopes ?? []) {
  const energy = energyJoules === undefined ? 'unmeasured' : `${(energyJoules / count).toFixed(2)} J a job`
  console.log(`${name.padEnd(10)}  ${count} jobs  ${energy}`)
}

/** @param {number} rounds */
function hash(rounds) {
  let text = ''
  for (let round = 0; round < rounds; round += 1) text = createHash('sha512').update(text).digest('hex')
  return text
}
