/**
 * What paths a route template matches, as a regular expression over the whole path: `:name` one segment, `*` and `*name` any rest, braces and `?` what may be
 * missing, and `\` before a character that stands for itself. Names may be quoted, as in `:"user-id"`. A slash at the end may be there or not.
 *
 * @throws SyntaxError where braces have no partner
 */
export function routePattern(template: string): RegExp {
  const source = template.replace(parts, toSource).replace(/\/+$/, '')
  return new RegExp(`^${source}/*$`)
}

/** Whether a template is matched by itself alone. */
export const isLiteral = (template: string): boolean => !/[:*{}()?\\]/.test(template)

const name = String.raw`(?:"(?:\\.|[^"\\])*"|[$\p{ID_Continue}]+)`
const parameter = String.raw`:${name}(?:\([^)]*\))?`

/** An escaped character, a parameter with the slash before it where both may be missing, a parameter, a rest, a character. */
const parts = new RegExp(String.raw`\\.|/?${parameter}\?|${parameter}|\*${name}?|[^:]`, 'gsu')

function toSource(part: string): string {
  if (part === '{') return '(?:'
  if (part === '}') return ')?'
  if (part.startsWith('*')) return '.*'
  if (part.startsWith('\\')) return escape(part.slice(-1))
  if (part.length === 1 || !part.includes(':')) return escape(part)
  const segment = part.startsWith('/') ? '/[^/]+' : '[^/]+'
  return part.endsWith('?') ? `(?:${segment})?` : segment
}

const escape = (text: string): string => text.replace(/[.+*^${}()|[\]\\?]/, String.raw`\$&`)
