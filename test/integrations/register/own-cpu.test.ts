import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { createOwnCpu } from '../../../src/integrations/register/own-cpu.ts'

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
