/** Nobody is left alone for longer, whatever the header says. */
export const mostRetryAfterMs: number = 6 * 60 * 60_000

/** Milliseconds that a `Retry-After` header asks for, as seconds or a date (RFC 9110 §10.2.3); `undefined` where it says nothing. */
export function parseRetryAfter(header: string | null, wallMs: number): number | undefined {
  const text = header?.trim() ?? ''
  const waitMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : text.endsWith(' GMT')
      ? Date.parse(text) - wallMs
      : Number.NaN
  return waitMs > 0 ? Math.min(waitMs, mostRetryAfterMs) : undefined
}
