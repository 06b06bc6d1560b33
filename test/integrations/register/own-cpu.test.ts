import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { createActivityCpu, createOwnCpu } from '../../../src/integrations/register/own-cpu.ts'

/** Threads of a process whose clocks the test sets, in microseconds. */
function threads(count: number): { pass(active: number, cpu: number): void; read(): number[] } {
  let time = 0
  let cpu = 0
  const taken = new BigInt64Array(new SharedArrayBuffer(8))
  const all = Array.from({ length: count }, () =>
    createActivityCpu({ active: () => time, ofProcess: () => cpu, taken }),
  )
  return {
    pass(active, used) {
      time += active
      cpu += used
    },
    read: () => all.map((read) => read()),
  }
}

const sumOf = (times: readonly number[]): number => times.reduce((sum, time) => sum + time, 0)

it('the activity of threads is their CPU time', () => {
  const { pass, read } = threads(2)
  pass(1000, 2500)
  expect(read()).toEqual([1000, 1000])
  pass(500, 1000)
  expect(read()).toEqual([1500, 1500])
})

it('threads that wait in a call have no more CPU time together than their process has used', () => {
  const { pass, read } = threads(8)
  let used = 0
  for (let round = 0; round < 20; round += 1) {
    pass(1_000_000, 2_000_000)
    used += 2_000_000
    expect(sumOf(read())).toBeLessThanOrEqual(used)
  }
  expect(sumOf(read())).toBe(used)
})

it('takes what a thread has told off the CPU time of its process', async () => {
  const cpu = createOwnCpu()
  const before = cpu.read()
  const hourMicroseconds = 3600e6
  const built = new URL('../../../build/integrations/register/own-cpu.js', import.meta.url).href
  const program = `import('${built}').then(({ createOwnCpu }) => createOwnCpu().told(${hourMicroseconds}))`
  await once(new Worker(program, { eval: true }), 'exit')
  const used = cpu.read() - before + hourMicroseconds
  expect(used).toBeGreaterThan(0)
  expect(used).toBeLessThan(hourMicroseconds / 2)
})
