import type { HttpResponse } from './http-types.ts'

/** Which headers are added. */
export interface HeaderOptions {
  readonly serverTiming: boolean
  readonly emissionsHeader: boolean
}

/**
 * Adds what is known to a response whose headers are about to be sent.
 *
 * `Server-Timing` is that of W3C, whose `dur` has no unit of its own; `desc` says which it is here. `Carbon-Emissions-Scope-2` is a decimal number of grams, as in
 * draft-martin-http-carbon-emissions-scope-2-00, which has expired without a successor that keeps it.
 */
export function setCarbonHeaders(
  response: HttpResponse,
  grams: number,
  { serverTiming, emissionsHeader }: HeaderOptions,
): void {
  if (response.headersSent) return
  if (serverTiming) {
    const entry = `carbon;desc="mean mgCO2eq of this route";dur=${toDecimal(grams * 1000)}`
    const there = response.getHeader('server-timing')
    response.setHeader(
      'server-timing',
      there === undefined ? entry : `${[there].flat().join(', ')}, ${entry}`,
    )
  }
  if (emissionsHeader) response.setHeader('carbon-emissions-scope-2', toDecimal(grams))
}

/** Three digits, and no exponent, which the grammar of either header lacks. */
function toDecimal(value: number): string {
  if (value === 0) return '0'
  const digits = Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))))
  const text = value.toFixed(digits)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
