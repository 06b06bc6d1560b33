import type { LoadMark } from './core/load-meter.ts'
import type { Counted } from './scopes/counted.ts'

/** A task of a run that has begun. */
export interface RunTask extends Counted {
  parent: Counted | undefined
  readonly name: string
  /** The name as it was asked for, which another task may have had. */
  readonly givenName: string
  readonly begunAt: LoadMark
}

/** The tasks of a run that have begun and not ended, each under a name of its own. */
export class RunTasks {
  readonly #active = new Set<RunTask>()
  readonly #names = new Set<string>()
  readonly #lastNumbers = new Map<string, number>()

  /** Begins one under that name, or where another one has it under the first free one with a number behind. */
  begin(givenName: string, start: Pick<RunTask, 'scope' | 'begunAt' | 'parent'>): RunTask {
    const task: RunTask = { ...start, name: this.#freeName(givenName), givenName, units: undefined }
    this.#active.add(task)
    return task
  }

  has(task: RunTask): boolean {
    return this.#active.has(task)
  }

  end(task: RunTask): void {
    this.#active.delete(task)
    this.#names.delete(task.name)
    if (this.#active.size === 0) this.#lastNumbers.clear()
  }

  /** In the order in which they began. */
  list(): readonly RunTask[] {
    return [...this.#active]
  }

  /** The last of them, or the one with this name. */
  find(name?: string): RunTask | undefined {
    const tasks = this.list()
    return name === undefined
      ? tasks.at(-1)
      : (tasks.findLast((task) => task.name === name) ?? tasks.findLast((task) => task.givenName === name))
  }

  #freeName(name: string): string {
    let free = name
    let count = this.#lastNumbers.get(name) ?? 1
    while (this.#names.has(free)) free = `${name} ${(count += 1)}`
    this.#names.add(free)
    // No name is tried twice, however many tasks are called the same.
    if (count > 1) this.#lastNumbers.set(name, count)
    return free
  }
}
