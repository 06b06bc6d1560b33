/** A method, whatever it takes. */
export type Method = (this: object, ...args: unknown[]) => unknown

/** How each of some methods is measured: given the original, makes what is called instead. */
export type Measures<Name extends string> = Readonly<Record<Name, (original: Method) => Method>>

/** One for all copies of this package in a process; with a number that changes when what is there does. */
const key = Symbol.for('codecarbon.measured-methods.1')
const holder = globalThis as { [key]?: WeakMap<object, () => void> }

/** How objects that are measured are let alone again. */
const undos = (holder[key] ??= new WeakMap())

/**
 * Puts measuring methods in the place of those of an object. An object that is measured already is measured anew, in the way that was asked for last.
 *
 * @returns takes it back; where somebody else has replaced the methods since, theirs stay and ours only pass calls on
 */
export function measureMethods<Name extends string>(
  target: Record<Name, Method>,
  measures: Measures<Name>,
): () => void {
  undos.get(target)?.()
  let isOn = true
  const restores = (Object.keys(measures) as Name[]).map((name) => {
    const original = target[name]
    const measuring = measures[name](original)
    const replacement: Method = function carbon(...args) {
      return (isOn ? measuring : original).apply(this, args)
    }
    Object.defineProperty(replacement, 'name', { value: original.name, configurable: true })
    Object.defineProperty(replacement, 'length', { value: original.length, configurable: true })
    target[name] = replacement
    return () => {
      if (target[name] === replacement) target[name] = original
    }
  })
  const undo = (): void => {
    if (!isOn) return
    isOn = false
    undos.delete(target)
    for (const restore of restores) restore()
  }
  undos.set(target, undo)
  return undo
}
