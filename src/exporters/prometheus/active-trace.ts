/** The part of `@opentelemetry/api` that is used here. */
interface TraceApi {
  readonly trace: {
    getActiveSpan(): { spanContext(): { traceId: string; spanId: string; traceFlags: number } } | undefined
  }
}

/** The ids of the trace that is active now, as labels of an exemplar; `undefined` where none is, or where it is not sampled. */
export type ActiveTrace = () => { readonly trace_id: string; readonly span_id: string } | undefined

/** Looks traces up through `@opentelemetry/api`, where the program has it; which it has where it makes traces at all. */
export async function loadActiveTrace(): Promise<ActiveTrace> {
  let api: TraceApi
  try {
    api = await import('@opentelemetry/api')
  } catch {
    // No such package, no traces.
    return () => undefined
  }
  return () => {
    const context = api.trace.getActiveSpan()?.spanContext()
    const isSampled = context !== undefined && (context.traceFlags & 1) === 1
    return isSampled ? { trace_id: context.traceId, span_id: context.spanId } : undefined
  }
}
