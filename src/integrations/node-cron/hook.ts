import { withCarbon } from '../../with-carbon.ts'
import { createJobNameBound } from '../hook-parts/job-name-bound.ts'
import { isMeasured, standFor } from '../../scopes/measured-function.ts'
import type { LibraryHook } from '../register/library-hook.ts'

/** `schedule` and `createTask`: a file in the place of the function runs in a process of its own. */
type Schedule = (expression: unknown, task: unknown, options?: unknown) => unknown

const boundTaskName = createJobNameBound()

/** Measures the functions that node-cron runs, by the name of the task, that of the function, or else the expression. */
export const nodeCronHook: LibraryHook = {
  name: 'node-cron',
  packages: ['node-cron'],
  versions: '>=4 <5',
  install(exports) {
    const whole: unknown = exports['default']
    // As a module, version 4.0.0 has nothing but a default export.
    const { schedule, createTask } = 'schedule' in exports || !isRecord(whole) ? exports : whole
    if (typeof schedule !== 'function' || typeof createTask !== 'function')
      throw new TypeError('expected functions schedule and createTask in node-cron')
    const measured = {
      schedule: measuring(schedule as Schedule),
      createTask: measuring(createTask as Schedule),
    }
    if (isRecord(whole)) Object.assign(whole, measured)
    return { ...exports, ...measured }
  },
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** Once, where one object is what a module and CommonJS export. */
function measuring(schedule: Schedule): Schedule {
  if (isMeasured(schedule)) return schedule
  const measured: Schedule = (expression, task, ...options) =>
    schedule(
      expression,
      typeof task === 'function' && !isMeasured(task) ? measuredTask(expression, task, options[0]) : task,
      ...options,
    )
  return standFor(measured, schedule)
}

/** Which is not marked: a task that is scheduled twice is two tasks. */
function measuredTask(expression: unknown, task: Function, options: unknown): unknown {
  const given =
    typeof options === 'object' && options !== null && 'name' in options ? options.name : undefined
  const name = [given, task.name, expression].find((one) => typeof one === 'string' && one !== '')
  return withCarbon(boundTaskName(name), task as (...args: unknown[]) => unknown)
}
