import { expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'

test('the clocks of this machine tell monotonic seconds and milliseconds since 1970', () => {
  const first = systemClock.now()
  const second = systemClock.now()
  expect(second.monotonic).toBeGreaterThanOrEqual(first.monotonic)
  expect(first.monotonic).toBeCloseTo(performance.now() / 1000, 0)
  expect(Math.abs(first.wallMs - Date.now())).toBeLessThan(5000)
})

test('a timer of this machine keeps no process alive, and can be cancelled', async () => {
  let fired = 0
  const handlesBefore = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const cancel = systemClock.after(0, () => {
    fired += 1
  })
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(handlesBefore)
  cancel()
  await new Promise((resolve) => {
    systemClock.after(1, () => {
      resolve(undefined)
    })
  })
  expect(fired).toBe(0)
})
