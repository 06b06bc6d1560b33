import { createNameBound } from '../../core/bounded-names.ts'

/** Keeps the names of jobs, tasks or queues of a program few and short; what has none is `unnamed`. */
export function createJobNameBound(): (name: unknown) => string {
  const bound = createNameBound()
  return (name) => bound(typeof name === 'string' && name !== '' ? name : 'unnamed')
}
