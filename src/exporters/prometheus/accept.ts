/** The formats of an answer. */
export type Format = 'text' | 'openmetrics'

/**
 * Which format a scraper likes better, by its `Accept` header (RFC 9110, quality values). OpenMetrics is given to those who name it at no
 * lower quality than plain text; all others, and those who name nothing, get the text format 0.0.4.
 */
export function formatFor(accept: string | undefined): Format {
  let text = 0
  let openMetrics = 0
  for (const part of (accept ?? '').slice(0, 4000).split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    const quality = qualityOf(parameters)
    if (type === 'application/openmetrics-text' && isKnownVersion(parameters)) {
      openMetrics = Math.max(openMetrics, quality)
    } else if (type === 'text/plain') text = Math.max(text, quality)
  }
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'text'
}

/** 2.0 names its metrics otherwise. */
const isKnownVersion = (parameters: readonly string[]): boolean =>
  parameters.every((parameter) => !parameter.startsWith('version=') || /^version="?[01]\./.test(parameter))

function qualityOf(parameters: readonly string[]): number {
  const value = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  if (value === undefined) return 1
  return /^[01](\.\d{0,3})?$/.test(value) ? Math.min(1, Number(value)) : 0
}

/** Whether the asker takes gzip. */
export function acceptsGzip(encoding: string | undefined): boolean {
  return (encoding ?? '')
    .slice(0, 1000)
    .split(',')
    .some((part) => {
      const [name = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
      return (name === 'gzip' || name === '*') && qualityOf(parameters) > 0
    })
}
