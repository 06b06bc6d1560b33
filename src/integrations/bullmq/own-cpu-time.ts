import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { fromMicroseconds, fromNanoseconds, type Seconds } from '../../core/units.ts'

/**
 * CPU time so far of this process with all of its threads, or of this thread where it is a worker thread; `undefined` where nobody tells that.
 *
 * A thread asks Node.js, since 22.15, or else Linux: the first field of `/proc/thread-self/schedstat` is the time on the CPU in nanoseconds
 * (Documentation/scheduler/sched-stats.rst). Synchronous reads run on the calling thread.
 */
export function ownCpuTime(): Seconds | undefined {
  if (isMainThread) return sum(process.cpuUsage())
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  if (threadCpuUsage !== undefined) return sum(threadCpuUsage.call(process))
  try {
    const [onCpu = ''] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')
    return /^\d+$/.test(onCpu) ? fromNanoseconds(Number(onCpu)) : undefined
  } catch {
    return undefined
  }
}

const sum = ({ user, system }: NodeJS.CpuUsage): Seconds => fromMicroseconds(user + system)
