import type { Worker } from 'node:worker_threads'

/** Calls back when a worker thread ends that this thread begins from now on: one that is terminated tells nothing more itself. */
export function onThreadEnd(callback: (threadId: number) => void): void {
  process.on('worker', (worker: Worker) => {
    const { threadId } = worker
    worker.once('exit', () => {
      callback(threadId)
    })
  })
}
