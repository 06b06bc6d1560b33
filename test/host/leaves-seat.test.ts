import { createServer } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { RunView } from '../../src/core/exporter.ts'
import { EmissionsTracker, type Exporter } from '../../src/index.ts'
import { fakeMachine } from '../tracker/fake-machine.ts'

it('a run whose outputs cannot be opened leaves it to another one to tell of the machine', async () => {
  const taken = createServer()
  await new Promise<void>((done) => {
    taken.listen(0, '127.0.0.1', done)
  })
  onTestFinished(() => {
    taken.close()
  })
  const { port } = taken.address() as { port: number }
  const { options } = fakeMachine()
  const first = new EmissionsTracker({ ...options, outputMethods: [], prometheusPort: port }).start()
  let look: (() => RunView) | undefined
  const exporter: Exporter = {
    name: 'seer',
    isShared: true,
    open: (lookAt) => void (look = lookAt),
    export: () => undefined,
  }
  const second = new EmissionsTracker({ ...options, outputMethods: [], exporters: [exporter] }).start()
  onTestFinished(async () => {
    await Promise.all([first.stop(), second.stop()])
  })
  await vi.waitFor(
    () => {
      expect(look?.().host.reports).toEqual({ devices: true, components: true })
    },
    { timeout: 10_000 },
  )
  expect(first.emissionsData?.problems).toMatchObject([{ subject: 'prometheus_pull' }])
})
