import type { HttpResponse } from './http-types.ts'

/** Which headers are added. */
export interface HeaderOptions {
  readonly serverTiming: boolean
  readonly emissionsHeader: boolean
}

/**
 * Adds what is known to a head that is about to be written.
 *
 * `Server-Timing` is that of W3C, whose `dur` has no unit of its own; `desc` says which it is here. `Carbon-Emissions-Scope-2` is a decimal number of grams, as in
 * draft-martin-http-carbon-emissions-scope-2-00, which has expired without a successor that keeps it.
 *
 * @param head what `writeHead` is given
 * @returns what to give it instead; the same where the headers have been set at the response
 */
export function addCarbonHeaders<Head extends readonly unknown[]>(
  response: HttpResponse,
  head: Head,
  grams: number,
  { serverTiming, emissionsHeader }: HeaderOptions,
): Head {
  const added: Header[] = []
  if (serverTiming)
    added.push(['server-timing', `carbon;desc="mean mgCO2eq of this route";dur=${toDecimal(grams * 1000)}`])
  if (emissionsHeader) added.push(['carbon-emissions-scope-2', toDecimal(grams)])
  // Where a header has been set before, Node takes no pairs, and older versions just the last of those in a list that have the same name.
  if (head.some(isList) && response.getHeaderNames().length === 0)
    return head.map((argument) => (isList(argument) ? withHeaders(added, argument) : argument)) as never
  for (const [name, value] of added) {
    const there = name === 'server-timing' ? response.getHeader(name) : undefined
    response.setHeader(name, there === undefined ? value : `${[there].flat().join(', ')}, ${value}`)
  }
  return head
}

type Header = readonly [name: string, value: string]

const isList = (argument: unknown): argument is readonly unknown[] =>
  Array.isArray(argument) && argument.length > 0

/** Headers are listed as pairs, or one name and value after the other. */
const withHeaders = (added: readonly Header[], list: readonly unknown[]): readonly unknown[] => [
  ...(Array.isArray(list[0]) ? added : added.flat()),
  ...list,
]

/** Three digits, and no exponent, which the grammar of either header lacks. */
function toDecimal(value: number): string {
  if (value === 0) return '0'
  const digits = Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))))
  const text = value.toFixed(digits)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
