/** One for all copies of this package in a process. */
const key = Symbol.for('codecarbon.own-servers')
const holder = globalThis as { [key]?: WeakSet<object> }

/** Servers of this package itself, whose requests are not those of the program. */
export const ownServers: WeakSet<object> = (holder[key] ??= new WeakSet())
