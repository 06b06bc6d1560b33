import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** How much CPU time this process or thread has used. */
export interface OwnCpu {
  /** Microseconds since some moment. */
  read(): number
  /** Microseconds that were told of it to whoever measures. */
  told(microseconds: number): void
}

/** Holds what threads have told of the CPU time of their process: a number of 64 bits that all threads of it see. */
const toldKey = 'codecarbon.threads-cpu'

/**
 * CPU time of a child process, or of a worker thread. That of a process holds that of its threads: what a thread has told is taken off, so that nothing is told
 * twice. Call it before threads begin.
 */
export function createOwnCpu(): OwnCpu {
  const known = getEnvironmentData(toldKey)
  const shared = known instanceof SharedArrayBuffer ? known : new SharedArrayBuffer(8)
  const byThreads = new BigInt64Array(shared)
  if (shared !== known) setEnvironmentData(toldKey, shared)
  if (!isMainThread) {
    return {
      read: threadMicroseconds,
      told(microseconds) {
        Atomics.add(byThreads, 0, BigInt(Math.round(microseconds)))
      },
    }
  }
  return {
    read() {
      const { user, system } = process.cpuUsage()
      return user + system - Number(Atomics.load(byThreads, 0))
    },
    told: () => undefined,
  }
}

type ThreadCpuUsage = () => NodeJS.CpuUsage

/** Node tells the CPU time of a thread since 22.15; before, the time in which its event loop did something stands for it. */
const { threadCpuUsage } = process as { threadCpuUsage?: ThreadCpuUsage }

function threadMicroseconds(): number {
  if (threadCpuUsage === undefined) return performance.eventLoopUtilization().active * 1000
  const { user, system } = threadCpuUsage.call(process)
  return user + system
}
