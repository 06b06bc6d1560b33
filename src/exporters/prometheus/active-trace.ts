import type { ActiveTrace } from '../../core/active-trace.ts'

/** The part of `@opentelemetry/api` that is used here. */
interface TraceApi {
  readonly trace: {
    getActiveSpan(): { spanContext(): { traceId: string; spanId: string; traceFlags: number } } | undefined
  }
}

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
