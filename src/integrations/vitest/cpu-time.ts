/**
 * A setup file of Vitest, `setupFiles: ['codecarbon/vitest/cpu-time']`: notes for each test file how much CPU time it has taken in its worker, from its setup
 * on to the end of its last hook, where the reporter's option `attribution: 'exact'` reads it. Like any setup file it does so by being loaded.
 * @module codecarbon/vitest/cpu-time
 */
import { isMainThread } from 'node:worker_threads'
import { afterAll } from 'vitest'
import { messageOf } from '../../core/errors.ts'
import { noteCpuTime } from './cpu-note.ts'

const begun = cpuMicroseconds()

// Hooks of a setup file are the outermost: this one is the last. What fails in it would fail the user's tests.
// oxlint-disable-next-line no-empty-pattern -- Vitest reads from the source which fixtures are wanted
afterAll(({}, suite) => {
  try {
    const ended = cpuMicroseconds()
    if (begun !== undefined && ended !== undefined) noteCpuTime(suite.file.meta, (ended - begun) / 1e6)
  } catch (error) {
    process.emitWarning(`codecarbon/vitest/cpu-time: ${messageOf(error)}`, 'CodeCarbonWarning')
  }
})

/**
 * Of the process where the worker is one, with all its threads; else of the thread, which Node.js tells since 22.15 (and 23.9). `undefined` where it does not.
 */
function cpuMicroseconds(): number | undefined {
  if (isMainThread) return sum(process.cpuUsage())
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  return threadCpuUsage === undefined ? undefined : sum(threadCpuUsage())
}

function sum({ user, system }: NodeJS.CpuUsage): number {
  return user + system
}
