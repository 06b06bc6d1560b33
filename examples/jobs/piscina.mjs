// Counts primes in the worker threads of a Piscina. Each task is measured in its own thread, by its CPU time; the report tells them behind "Of it".
//
//   npm install piscina
//   npx codecarbon run -- node --import codecarbon/register examples/jobs/piscina.mjs
import { isMainThread } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { withCarbon } from 'codecarbon'

export const countPrimes = withCarbon('count primes', (/** @type {number} */ limit) => {
  const isComposite = new Uint8Array(limit)
  let primes = 0
  for (let n = 2; n < limit; n += 1) {
    if (isComposite[n] === 1) continue
    primes += 1
    for (let multiple = n * n; multiple < limit; multiple += n) isComposite[multiple] = 1
  }
  return primes
})

export const sort = withCarbon('sort', (/** @type {number} */ length) =>
  Float64Array.from({ length }, Math.random)
    .sort()
    .at(length / 2),
)

// This file is that of the threads, too.
if (isMainThread) {
  const pool = new Piscina({ filename: import.meta.url, maxThreads: 2 })
  const primes = [1e6, 5e6, 2e7].map(async (limit) => {
    console.log(`${await pool.run(limit, { name: 'countPrimes' })} primes below ${limit}`)
  })
  const median = pool.run(2e6, { name: 'sort' })
  await Promise.all(primes)
  console.log(`The median of random numbers is ${(await median).toFixed(3)}`)
  await pool.close()
}
