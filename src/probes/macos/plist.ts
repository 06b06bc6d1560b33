/** A value of a property list. Dates, data and text are text. */
export type PlistValue = string | number | boolean | readonly PlistValue[] | PlistDict
export type PlistDict = ReadonlyMap<string, PlistValue>

/** An opening, closing or empty tag, and the text up to the next one. Declarations and the document type do not match. */
const tag = /<(\/?)([a-z]+)[^<>]*?(\/?)>([^<]*)/g

/**
 * Parses a property list in XML, as far as `powermetrics` uses it: no comments, no CDATA. `undefined` where it is not one, or is cut off.
 *
 * @see https://www.apple.com/DTDs/PropertyList-1.0.dtd
 */
export function parsePlist(text: string): PlistValue | undefined {
  const open: Container[] = []
  let root: PlistValue | undefined

  for (const [, closing, name = '', empty, content = ''] of text.matchAll(tag)) {
    if (name === 'plist') continue
    const owner = open.at(-1)
    if (name === 'key') {
      if (closing === '' && owner !== undefined) owner.key = unescape(content)
      continue
    }
    const isContainer = name === 'dict' || name === 'array'
    if (isContainer && closing === '' && empty === '') {
      open.push({ name, key: '', entries: new Map(), items: [] })
      continue
    }
    if (!isContainer && closing !== '') continue
    const value = isContainer ? closed(empty === '' ? open.pop() : { name }, name) : leaf(name, content)
    if (value === undefined) return undefined
    const parent = open.at(-1)
    if (parent === undefined) root = value
    else if (parent.name === 'dict') parent.entries.set(parent.key, value)
    else parent.items.push(value)
  }
  return open.length === 0 ? root : undefined
}

interface Container {
  readonly name: 'dict' | 'array'
  /** The key that the next value belongs to. */
  key: string
  readonly entries: Map<string, PlistValue>
  readonly items: PlistValue[]
}

/** What a container holds; `undefined` where another one was to be closed. */
function closed(
  container: Pick<Container, 'name'> | Container | undefined,
  name: string,
): PlistValue | undefined {
  if (container?.name !== name) return undefined
  if (!('entries' in container)) return name === 'dict' ? new Map() : []
  return name === 'dict' ? container.entries : container.items
}

function leaf(name: string, content: string): PlistValue | undefined {
  switch (name) {
    case 'integer':
    case 'real':
      // An empty number is none, where Number('') would make it zero.
      return content.trim() === '' ? Number.NaN : Number(content)
    case 'true':
    case 'false':
      return name === 'true'
    case 'string':
    case 'date':
    case 'data':
      return unescape(content)
    default:
      return undefined
  }
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
const unescape = (text: string): string =>
  text.replace(/&(lt|gt|quot|apos|amp);/g, (whole, name: string) => entities[name] ?? whole)
