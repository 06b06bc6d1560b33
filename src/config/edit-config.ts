import { ConfigError } from '../core/errors.ts'
import { readLines, unquote } from './config-lines.ts'

/** Keys of a section, by their names in lower case, and the values that they are to have. */
export type ConfigValues = Readonly<Record<string, string>>

/**
 * Gives keys of a section other values, as {@link parseConfig} reads them. Everything else stays byte for byte: comments, other keys and
 * sections, order, spaces, line ends, a byte order mark. New keys come behind the last one of the section, which is made where it is missing.
 *
 * @throws ConfigError for a line of the section that says nothing, or a value that no such file can hold
 */
export function editConfig(text: string, values: ConfigValues, path: string, section = 'codecarbon'): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  const edited = Object.entries(values).reduce(
    (so, [key, value]) => setValue(so, { key, value, path, section }),
    text.slice(mark.length),
  )
  return mark + edited
}

interface Change {
  readonly key: string
  readonly value: string
  readonly path: string
  readonly section: string
}

function setValue(text: string, { key, value, path, section }: Change): string {
  const written = toText(key, value)
  const { own, heading } = readLines(text, path, section)
  const lines = text.split(/(?<=\r\n|\n|\r(?!\n))/)
  // Where a key is given again, the last one counts.
  const there = own.findLast((entry) => entry.key.toLowerCase() === key)
  if (there !== undefined) {
    if (unquote(there.value) === value) return text
    const [first = '', ...rest] = lines.slice(there.line - 1, there.end)
    const [head = ''] = /^\s*[^=:]+?\s*[=:][^\S\r\n]*/.exec(first) ?? []
    const [tail = ''] = /\s*$/.exec(first.slice(head.length)) ?? []
    const comments = rest.filter((line) => /^\s*[#;]/.test(line))
    lines.splice(there.line - 1, 1 + rest.length, head + written + tail, ...comments)
    return lines.join('')
  }
  const lineEnd = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n'
  const last = own.at(-1)
  const after = last?.end ?? heading
  if (after === undefined) {
    const isClosed = text === '' || /[\r\n]$/.test(text)
    const gap = text.trim() === '' ? '' : lineEnd
    return `${text}${isClosed ? '' : lineEnd}${gap}[${section}]${lineEnd}${key} = ${written}${lineEnd}`
  }
  const indent = last === undefined ? deepestIndent(lines.slice(after)) : ' '.repeat(last.indent)
  const line = `${indent}${key} = ${written}`
  const before = lines[after - 1] ?? ''
  const isClosed = /[\r\n]$/.test(before)
  lines.splice(after - 1, 1, before, isClosed ? `${line}${lineEnd}` : `${lineEnd}${line}`)
  return lines.join('')
}

/** Of the lines up to an empty one: whatever is further in than a key goes on with its value. */
function deepestIndent(lines: readonly string[]): string {
  const end = lines.findIndex((line) => line.trim() === '')
  const near = end === -1 ? lines : lines.slice(0, end)
  return ' '.repeat(Math.max(0, ...near.map((line) => line.length - line.trimStart().length)))
}

/** A value so that it is read as it is. */
function toText(key: string, value: string): string {
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) {
    throw new ConfigError(`${key}: expected a text on one line, without control characters`)
  }
  if (value !== '' && value.trim() === value && unquote(value) === value) return value
  const quote = [`"`, `'`].find((mark) => !value.includes(mark))
  if (quote !== undefined) return `${quote}${value}${quote}`
  throw new ConfigError(`${key}: a value in quotes, or between spaces, cannot hold both kinds of quotes`)
}
