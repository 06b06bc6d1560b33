/** The ids of the trace that is active now, as labels of an exemplar; `undefined` where none is, or where it is not sampled. */
export type ActiveTrace = () => { readonly trace_id: string; readonly span_id: string } | undefined

/** One for all copies of this package in a process. */
const key = Symbol.for('codecarbon.active-trace')
const holder = globalThis as { [key]?: ActiveTrace }

/** Says how traces are found, once somebody wants to know of them. */
export function setActiveTrace(find: ActiveTrace): void {
  holder[key] = find
}

/** Asks for it; `undefined` also where nobody wants to know. */
export const activeTrace: ActiveTrace = () => holder[key]?.()
