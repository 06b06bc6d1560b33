import { isSamePoint, type CometMessage } from './message.ts'

/** What Comet counts separately, and files, of which each is read when it is sent. */
export type Counted = 'metric' | 'parameter' | 'output' | 'file' | 'other'

/** A message on its way. */
export interface Item {
  message: CometMessage
  readonly lane: string
  counted: Counted
  /** Its place among all. */
  readonly number: number
  /** How many like it there are with it, all else being equal: points of one moment. */
  readonly copies: number
  /** How often it was sent in vain. */
  attempts: number
  /** It may have been carried out though nobody said so. */
  isUncertain: boolean
  /** How many others had come when it first did not. */
  cameBefore?: number
}

/** A message for which there is no room here. */
export type Spilled = Pick<Item, 'message' | 'isUncertain'>

/** How many of what it counts for a message is. */
export const weightOf = ({ message }: Item): number => (message.type === 'output' ? message.lines.length : 1)

/** Bounds of what waits: a server that is away must not use up the program's memory. */
const mostItems = 10_000
const mostBytes = 64 * 1024 * 1024
/** Lines and tags that go in one request, as comet_ml has it of lines. */
export const mostTogether = 500
const mostBytesTogether = 1024 * 1024
/** Taken out at once when there is no more room, so that a full box costs little. */
const spilledAtOnce = 1000

/**
 * Messages that wait. Those of one metric, one asset or the output stay in their order, and one of each at most is on its way; of a parameter,
 * an other, a page or a file that replaces the last one only the newest waits. When there is no more room the oldest lines of output have to go, then
 * the oldest points; files and totals stay.
 */
export class Outbox {
  readonly #lanes = new Map<string, Item[]>()
  readonly #busy = new Map<string, Item>()
  /** What the server does not take now, by lane where the next one takes its place. */
  readonly #aside = new Map<string, Item>()
  /** Lanes by what they count as that have something to send and nothing on its way. */
  readonly #ready = new Map<Counted, Set<string>>(
    (['other', 'parameter', 'file', 'metric', 'output'] as const).map((counted) => [
      counted,
      new Set<string>(),
    ]),
  )
  #waiting = 0
  #bytes = 0
  /** Messages that are larger than all the room for others, of which there may be one. */
  #large = 0
  #count = 0

  /** Messages that wait or are on their way. */
  get size(): number {
    return this.#waiting + this.#busy.size
  }

  /** With those that were set aside. */
  get left(): number {
    return this.size + this.#aside.size
  }

  /** Takes a message. @returns those for which there is no room, of those that waited or this one */
  add(message: CometMessage): Spilled[] {
    const lane = laneOf(message)
    const waiting = this.#lanes.get(lane) ?? []
    const last = waiting.at(-1)
    if (isReplacedBy(message)) this.#dropAside(lane)
    const merged = last === undefined ? undefined : merge(last.message, message)
    if (last !== undefined && merged !== undefined) {
      this.#weigh(last.message, -1)
      this.#weigh(merged, 1)
      last.message = merged
      this.#recount(last)
      return []
    }
    const isPrecious = message.type === 'asset' && message.overwrite
    if (!isPrecious && !this.#hasRoomFor(bytesOf(message))) return [{ message, isUncertain: false }]
    const spilled = this.#isFull ? this.#makeRoom() : []
    if (this.#isFull && !isPrecious) return [...spilled, { message, isUncertain: false }]
    const before = last ?? this.#busy.get(lane)
    waiting.push({
      ...{ message, lane, counted: countedOf(message), number: (this.#count += 1) },
      ...{ copies: isSamePoint(before?.message, message) ? (before?.copies ?? 0) + 1 : 1 },
      ...{ attempts: 0, isUncertain: false },
    })
    this.#lanes.set(lane, waiting)
    this.#waiting += 1
    this.#weigh(message, 1)
    this.#mark(lane)
    return spilled
  }

  /** The next message of a kind that may be sent now, which is then on its way. */
  take(maySend: (item: Item) => boolean): Item | undefined {
    for (const lanes of this.#ready.values()) {
      const [lane] = lanes
      if (lane === undefined) continue
      const waiting = this.#lanes.get(lane) ?? []
      const [item] = waiting
      if (item === undefined || !maySend(item)) continue
      lanes.delete(lane)
      waiting.shift()
      this.#waiting -= 1
      this.#busy.set(lane, item)
      return item
    }
    return undefined
  }

  /** Those of each kind that are next in line. */
  next(): Item[] {
    return [...this.#ready.values()].flatMap((lanes) => {
      const [lane] = lanes
      return lane === undefined ? [] : (this.#lanes.get(lane)?.slice(0, 1) ?? [])
    })
  }

  /** It has come, or never will. */
  done(item: Item): void {
    this.#busy.delete(item.lane)
    this.#weigh(item.message, -1)
    if ((this.#lanes.get(item.lane)?.length ?? 0) > 0) this.#mark(item.lane)
    else this.#lanes.delete(item.lane)
  }

  /** It did not come, and is the next of its lane again, unless a newer one has taken its place. */
  putBack(item: Item): void {
    if (this.#isReplaced(item)) {
      this.done(item)
      return
    }
    this.#busy.delete(item.lane)
    this.#lanes.set(item.lane, [item, ...(this.#lanes.get(item.lane) ?? [])])
    this.#waiting += 1
    this.#mark(item.lane)
  }

  /** It is not to be sent again, but kept, unless a newer one has taken or takes its place. */
  setAside(item: Item): void {
    const isReplaced = this.#isReplaced(item)
    this.done(item)
    if (isReplaced) return
    this.#weigh(item.message, 1)
    this.#aside.set(isReplacedBy(item.message) ? item.lane : `${item.number}`, item)
  }

  /** Everything that has not come, in its order; nothing is left. */
  takeAll(): Item[] {
    for (const item of this.#busy.values()) item.isUncertain = true
    const all = [...this.#busy.values(), ...this.#aside.values(), ...[...this.#lanes.values()].flat()]
    this.#lanes.clear()
    this.#busy.clear()
    this.#aside.clear()
    for (const lanes of this.#ready.values()) lanes.clear()
    this.#waiting = 0
    this.#bytes = 0
    this.#large = 0
    return all.toSorted(byNumber)
  }

  get #isFull(): boolean {
    return this.#waiting + this.#aside.size >= mostItems
  }

  #hasRoomFor(bytes: number): boolean {
    return bytes > mostBytes ? this.#large === 0 : this.#bytes + bytes <= mostBytes
  }

  #weigh(message: CometMessage, sign: 1 | -1): void {
    const bytes = bytesOf(message)
    if (bytes > mostBytes) this.#large += sign
    else this.#bytes += sign * bytes
  }

  #isReplaced({ lane }: Item): boolean {
    const next = this.#lanes.get(lane)?.[0]
    return next !== undefined && isReplacedBy(next.message)
  }

  #dropAside(lane: string): void {
    const item = this.#aside.get(lane)
    if (item === undefined) return
    this.#aside.delete(lane)
    this.#weigh(item.message, -1)
  }

  /** A file takes the place of bytes, or the other way round. */
  #recount(item: Item): void {
    const counted = countedOf(item.message)
    if (counted === item.counted) return
    this.#ready.get(item.counted)?.delete(item.lane)
    item.counted = counted
    this.#mark(item.lane)
  }

  #mark(lane: string): void {
    const next = this.#lanes.get(lane)?.[0]
    if (next !== undefined && !this.#busy.has(lane)) this.#ready.get(next.counted)?.add(lane)
  }

  #makeRoom(): Item[] {
    const waiting = [...this.#lanes.values()].flat()
    const output = waiting.filter(({ counted }) => counted === 'output')
    const from = output.length > 0 ? output : waiting.filter(({ counted }) => counted === 'metric')
    const gone = from.toSorted(byNumber).slice(0, spilledAtOnce)
    for (const { lane, counted, message } of gone) {
      const left = this.#lanes.get(lane)
      left?.shift()
      this.#waiting -= 1
      this.#weigh(message, -1)
      if (left?.length !== 0) continue
      this.#lanes.delete(lane)
      this.#ready.get(counted)?.delete(lane)
    }
    return gone
  }
}

const byNumber = (one: Item, other: Item): number => one.number - other.number

function laneOf(message: CometMessage): string {
  if ('name' in message) return `${message.type}:${message.name}`
  return message.type === 'asset' ? `asset:${message.fileName}` : message.type
}

function countedOf(message: CometMessage): Counted {
  const { type } = message
  if (type === 'metric' || type === 'parameter' || type === 'output') return type
  return type === 'asset' && 'path' in message.content ? 'file' : 'other'
}

/** Of what may be large. */
function bytesOf(message: CometMessage): number {
  if (message.type === 'asset') return 'bytes' in message.content ? message.content.bytes.length : 0
  if (message.type === 'html') return message.html.length
  if (message.type === 'output') return sumOf(message.lines.map(({ text }) => text.length))
  return message.type === 'tags' ? sumOf(message.tags.map((tag) => tag.length)) : 0
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0)

/** One message in place of two that wait in the same lane; `undefined` where both have to be told. */
function merge(last: CometMessage, next: CometMessage): CometMessage | undefined {
  if (isReplacedBy(next)) return next
  if (last.type === 'system' && next.type === 'system') {
    const more = { ...last.details.more, ...next.details.more }
    return { type: 'system', details: { ...last.details, ...next.details, more } }
  }
  if (last.type === 'times' && next.type === 'times') return { ...last, ...next }
  if (bytesOf(last) + bytesOf(next) > mostBytesTogether) return undefined
  if (last.type === 'tags' && next.type === 'tags' && last.tags.length < mostTogether) {
    return { type: 'tags', tags: [...new Set([...last.tags, ...next.tags])] }
  }
  if (
    last.type === 'output' &&
    next.type === 'output' &&
    last.lines.length + next.lines.length <= mostTogether
  ) {
    return { type: 'output', lines: [...last.lines, ...next.lines] }
  }
  return undefined
}

/** Nobody misses what stood before it in its lane. */
function isReplacedBy(latter: CometMessage): boolean {
  if (latter.type === 'parameter' || latter.type === 'other') return true
  if (latter.type === 'html') return latter.override
  if (latter.type === 'asset') return latter.overwrite
  return latter.type === 'status'
}
