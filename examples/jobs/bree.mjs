// Runs two jobs of Bree, each in a worker thread of its own. They are measured there, by their CPU time; the report tells them behind "Of it".
//
//   npm install bree
//   npx codecarbon run -- node --import codecarbon/register examples/jobs/bree.mjs
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import Bree from 'bree'
import { withCarbon } from 'codecarbon'

if (isMainThread) {
  const path = fileURLToPath(import.meta.url)
  const bree = new Bree({
    root: false,
    logger: false,
    jobs: [
      { name: 'hash', path, worker: { workerData: { name: 'hash', rounds: 300_000 } } },
      { name: 'hash twice', path, worker: { workerData: { name: 'hash twice', rounds: 600_000 } } },
    ],
    workerMessageHandler: ({ name, message }) => console.log(`${name}: ${String(message)}`),
  })
  for (const name of ['hash', 'hash twice']) {
    const ended = once(bree, 'worker deleted')
    await bree.run(name)
    await ended
  }
} else {
  const { name, rounds } = workerData.job?.worker?.workerData ?? workerData
  const hash = withCarbon(name, () => {
    let text = ''
    for (let round = 0; round < rounds; round += 1) text = createHash('sha512').update(text).digest('hex')
    return text.slice(0, 8)
  })
  parentPort?.postMessage(hash())
}
