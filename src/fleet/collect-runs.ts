import type { PrometheusApi } from './prometheus-api.ts'
import { createQueries } from './queries.ts'
import { createQuestions } from './questions.ts'
import { createBook, type CollectedRuns } from './run-book.ts'

/** The time to be told, in milliseconds since 1970. */
export interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

/** Windows that the span is cut into: within one, only the last sample of a target that goes on is asked for. */
const windowMs = 60 * 60_000
/** Windows that one question is about, at first. */
const mostMoments = 24

/**
 * Collects the runs of a span, with what each used in it. For most windows the last samples tell; where a target began again, or showed
 * several runs, every sample of that window does. A question that is too much for the Prometheus is asked in parts.
 *
 * @throws EnergyError ERR_QUERY_FAILED
 */
export async function collectRuns(
  api: PrometheusApi,
  span: Span,
  match: string | undefined,
): Promise<CollectedRuns> {
  const questions = createQuestions(api, createQueries(match))
  const count = Math.max(1, Math.ceil((span.untilMs - span.fromMs) / windowMs))
  const stepMs = Math.ceil((span.untilMs - span.fromMs) / count)
  const book = createBook(await questions.before(span.fromMs, stepMs))
  for (let begin = 0; begin < count; begin += mostMoments) {
    const moments = {
      fromMs: span.untilMs - (count - begin - 1) * stepMs,
      toMs: span.untilMs - Math.max(0, count - begin - mostMoments) * stepMs,
      stepMs,
    }
    // oxlint-disable-next-line no-await-in-loop -- counters are followed from one window to the next
    const windows = await questions.windows(moments)
    // oxlint-disable-next-line no-await-in-loop -- as above
    await book.add(windows, (targets) => questions.longBefore(targets, span.fromMs))
  }
  return book.close()
}
