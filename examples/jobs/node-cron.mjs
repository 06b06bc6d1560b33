// Runs two scheduled functions for some seconds, and tells the energy of each.
//
//   npm install node-cron
//   node examples/jobs/node-cron.mjs
import cron from 'node-cron'
import { EmissionsTracker, withCarbon } from 'codecarbon'

const tracker = new EmissionsTracker({
  projectName: 'cron',
  logLevel: 'warning',
  measurePowerSecs: 1,
}).start()

/** Keeps a processor busy. @param {number} ms */
function work(ms) {
  const until = performance.now() + ms
  while (performance.now() < until);
}

/** @param {import('codecarbon').ScopeRecord} record */
const tell = ({ name, outcome, durationSeconds, energyJoules }) => {
  const energy = energyJoules === undefined ? 'unmeasured' : `${energyJoules.toFixed(2)} J`
  console.log(`${name.padEnd(8)}  ${outcome}  ${durationSeconds.toFixed(2)} s  ${energy}`)
}
const options = { tracker, onRecord: tell }
const everySecond = '* * * * * *'
const tasks = [
  cron.schedule(
    everySecond,
    withCarbon('report', () => work(300), options),
  ),
  cron.schedule(
    everySecond,
    withCarbon('clean up', () => work(50), options),
  ),
]

await new Promise((resolve) => setTimeout(resolve, 3500))
for (const task of tasks) await task.destroy()
await tracker.stop()
