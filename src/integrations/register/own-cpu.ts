import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** How much CPU time this process or thread has used. */
export interface OwnCpu {
  /** Microseconds since some moment. */
  read(): number
  /** Microseconds that were told of it to whoever measures. */
  told(microseconds: number): void
}

/** Holds two numbers of 64 bits that all threads of a process see: what they have told of its CPU time, and what activity was taken for CPU time. */
const sharedKey = 'codecarbon.threads-cpu'

/** Lets the threads that begin from now on know of each other. Call it before threads begin. */
export function shareThreadsCpu(): SharedArrayBuffer {
  const known = getEnvironmentData(sharedKey)
  if (known instanceof SharedArrayBuffer) return known
  const shared = new SharedArrayBuffer(16)
  setEnvironmentData(sharedKey, shared)
  return shared
}

/**
 * CPU time of a child process, or of a worker thread. That of a process holds that of its threads: what a thread has told is taken off, so that nothing is told
 * twice. Call it before threads begin.
 */
export function createOwnCpu(): OwnCpu {
  const shared = shareThreadsCpu()
  const byThreads = new BigInt64Array(shared, 0, 1)
  if (!isMainThread) {
    return {
      read: threadCpu(new BigInt64Array(shared, 8, 1)),
      told(microseconds) {
        Atomics.add(byThreads, 0, BigInt(Math.round(microseconds)))
      },
    }
  }
  return {
    read: () => processMicroseconds() - Number(Atomics.load(byThreads, 0)),
    told: () => undefined,
  }
}

type ThreadCpuUsage = () => NodeJS.CpuUsage

/** Node tells the CPU time of a thread since 22.15; before, the time in which its event loop did something stands for it. */
const { threadCpuUsage } = process as { threadCpuUsage?: ThreadCpuUsage }

const threadCpu = (taken: BigInt64Array): (() => number) =>
  threadCpuUsage === undefined
    ? createActivityCpu({
        active: () => performance.eventLoopUtilization().active * 1000,
        ofProcess: processMicroseconds,
        taken,
      })
    : () => sumOf(threadCpuUsage.call(process))

const processMicroseconds = (): number => sumOf(process.cpuUsage())

const sumOf = ({ user, system }: NodeJS.CpuUsage): number => user + system

/** What {@link createActivityCpu} reads, in microseconds. */
export interface ActivityCpuParts {
  /** For how long the thread did something, or waited in a call. */
  readonly active: () => number
  /** CPU time of the whole process. */
  readonly ofProcess: () => number
  /** What of that was taken for the time of any of its threads; they share it. */
  readonly taken: BigInt64Array
}

/** Activity in place of CPU time: threads that wait in a call are active, too, so that all together have no more than the process has used. */
export function createActivityCpu({ active, ofProcess, taken }: ActivityCpuParts): () => number {
  let seen = active()
  let own = 0
  return () => {
    const now = active()
    const wanted = Math.round(now - seen)
    const free = Math.round(ofProcess()) - Number(Atomics.load(taken, 0))
    const granted = Math.max(0, Math.min(wanted, free))
    Atomics.add(taken, 0, BigInt(granted))
    seen = now
    own += granted
    return own
  }
}
