// Jobs in this process, in a child process and in a worker thread, as one run. Each tells what it took; the run tells at its end what all took.
//
//   node --import codecarbon/register examples/preload.mjs
import { createHash } from 'node:crypto'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker } from 'node:worker_threads'
import { withCarbon } from 'codecarbon'

const hash = withCarbon(
  'hash',
  (/** @type {number} */ rounds) => {
    let text = ''
    for (let round = 0; round < rounds; round += 1) text = createHash('sha512').update(text).digest('hex')
    return text
  },
  // In children nobody is told here: their jobs are told to the process that measures.
  {
    onRecord: ({ name, energyJoules, durationSeconds }) => {
      console.log(`${name}: ${energyJoules?.toFixed(2) ?? 'unmeasured'} J in ${durationSeconds.toFixed(2)} s`)
    },
  },
)

if (process.send !== undefined || !isMainThread) {
  hash(200_000)
} else {
  const own = fileURLToPath(import.meta.url)
  hash(300_000)
  await once(fork(own), 'exit')
  await once(new Worker(own), 'exit')
}
