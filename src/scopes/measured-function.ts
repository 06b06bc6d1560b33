import { types } from 'node:util'

/** One for all copies of this package in a process. */
const key = Symbol.for('codecarbon.measured')
/** Says of a function that it stands for an async one. */
const asyncKey = Symbol.for('codecarbon.measured-async')

/** Gives a function that stands for another its name, and how many parameters it takes, which job runners look at; and marks it as measured. */
export function standFor<Fn extends object>(standIn: Fn, original: { name: string; length: number }): Fn {
  return Object.defineProperties(standIn, {
    name: { value: original.name, configurable: true },
    length: { value: original.length, configurable: true },
    [key]: { value: true },
    [asyncKey]: { value: isAsync(original) },
  })
}

/** Whether a function is measured where it is called, so that it must not be measured again. */
export const isMeasured = (fn: object): boolean => key in fn

/** Whether a function makes a promise of its own with each call: it is an async one, or stands for one. */
export const isAsync = (fn: object): boolean =>
  types.isAsyncFunction(fn) || (asyncKey in fn && fn[asyncKey] === true)
