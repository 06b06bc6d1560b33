/**
 * What paths a route template matches, as a regular expression over the whole path: `:name` one segment, `*` and `*name` any rest, braces and `?` what may be
 * missing. A slash at the end may be there or not.
 */
export function routePattern(template: string): RegExp {
  const source = template
    .replace(/\/+$/, '')
    .replace(
      /\/?:\w+(?:\([^)]*\))?\?|:\w+(?:\([^)]*\))?|\*\w*|[{}]|[^:*{}]/g,
      (part) => tokens[part] ?? (part.length > 1 || part === '*' ? wildcard(part) : escape(part)),
    )
  return new RegExp(`^${source}/*$`)
}

/** Whether a template is matched by itself alone. */
export const isLiteral = (template: string): boolean => !/[:*{}()?]/.test(template)

const tokens: Readonly<Record<string, string>> = { '{': '(?:', '}': ')?' }

function wildcard(part: string): string {
  if (part.startsWith('*')) return '.*'
  const segment = part.startsWith('/') ? '/[^/]+' : '[^/]+'
  return part.endsWith('?') ? `(?:${segment})?` : segment
}

const escape = (character: string): string => character.replace(/[.+^$()|[\]\\?]/, '\\$&')
