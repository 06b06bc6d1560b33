import type { Run } from '../run.ts'
import type { RunTask } from '../run-tasks.ts'
import type { Counted } from './counted.ts'
import { scopeStorage } from './current-scope.ts'
import { isCount } from './functional-units.ts'
import { livingPlace, type Placed } from './run-scope.ts'

/** A task of a tracker as the code sees it that runs in it. */
export class TaskPlace implements Placed {
  readonly kind = 'task'
  readonly ofRun: Run
  readonly counted: Counted
  around: Partial<Placed> | undefined = livingPlace(scopeStorage.getStore())
  readonly #task: RunTask
  readonly #onWrongCount: (count: unknown) => void

  constructor(run: Run, task: RunTask, onWrongCount: (count: unknown) => void) {
    this.ofRun = run
    this.counted = this.#task = task
    this.#onWrongCount = onWrongCount
  }

  /** The task has ended. */
  end(): void {
    this.around = livingPlace(this.around)
  }

  get name(): string {
    return this.#task.givenName
  }

  // Records of tasks are those of CodeCarbon for Python, which have no labels.
  setLabel(): void {}

  countFunctionalUnits(count = 1): void {
    if (isCount(count)) this.ofRun.countUnits(count, this.#task)
    else this.#onWrongCount(count)
  }
}
