import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import { outsideClock } from '../src/outside-clock.ts'

it('calls back outside of what asked for it, which need not stay in memory until then', async () => {
  const storage = new AsyncLocalStorage<string>()
  const seen = await new Promise<string | undefined>((resolve) => {
    const alive = setTimeout(() => undefined, 10_000)
    storage.run('a request', () => {
      outsideClock.after(1, () => {
        clearTimeout(alive)
        resolve(storage.getStore())
      })
    })
  })
  expect(seen).toBeUndefined()
})

it('can be cancelled', async () => {
  let isCalled = false
  const cancel = outsideClock.after(0, () => {
    isCalled = true
  })
  cancel()
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(isCalled).toBe(false)
})
