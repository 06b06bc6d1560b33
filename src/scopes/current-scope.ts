import { AsyncLocalStorage } from 'node:async_hooks'
import type { CurrentScope } from './work-scope.ts'

/** One for all copies of this package in a process. */
const key = Symbol.for('codecarbon.current-scope')
const holder = globalThis as { [key]?: AsyncLocalStorage<CurrentScope> }

/** Which scope runs now. */
export const scopeStorage: AsyncLocalStorage<CurrentScope> = (holder[key] ??= new AsyncLocalStorage())

/**
 * The task, job or request in which the code runs that asks; `undefined` outside of all of them.
 *
 * @example
 * currentScope()?.setLabel('tenant', tenant)
 * currentScope()?.countFunctionalUnits(images.length)
 */
export const currentScope = (): CurrentScope | undefined => scopeStorage.getStore()
