import type { CometMessage } from './message.ts'

/** What Comet counts separately. */
export type Counted = 'metric' | 'parameter' | 'output' | 'other'

/** A message on its way. */
export interface Item {
  message: CometMessage
  readonly lane: string
  readonly counted: Counted
  /** Its place among all. */
  readonly number: number
  /** How often it was sent in vain. */
  attempts: number
  /** It may have been carried out though nobody said so. */
  isUncertain: boolean
}

/** How many of what it counts for a message is. */
export const weightOf = ({ message }: Item): number => (message.type === 'output' ? message.lines.length : 1)

/** Bounds of what waits: a server that is away must not use up the program's memory. */
const mostItems = 10_000
const mostBytes = 64 * 1024 * 1024
/** Lines that go in one request, as comet_ml has it. */
const mostLines = 500
/** Dropped at once when there is no more room, so that a full box costs little. */
const droppedAtOnce = 100

/**
 * Messages that wait. Those of one metric, one asset or the output stay in their order, and one of each at most is on its way; of a parameter,
 * an other, a page or a file that replaces the last one only the newest waits. When there is no more room the oldest lines of output go, then the
 * oldest points; files and totals stay.
 */
export class Outbox {
  readonly #lanes = new Map<string, Item[]>()
  readonly #busy = new Map<string, Item>()
  /** Lanes by what they count as that have something to send and nothing on its way. */
  readonly #ready = new Map<Counted, Set<string>>(
    (['other', 'parameter', 'metric', 'output'] as const).map((counted) => [counted, new Set<string>()]),
  )
  #waiting = 0
  #bytes = 0
  #count = 0

  /** Messages that wait or are on their way. */
  get size(): number {
    return this.#waiting + this.#busy.size
  }

  /** Takes a message. @returns how many there was no room for, of those that waited or this one */
  add(message: CometMessage): number {
    const lane = laneOf(message)
    const waiting = this.#lanes.get(lane) ?? []
    const last = waiting.at(-1)
    const merged = last === undefined ? undefined : merge(last.message, message)
    if (last !== undefined && merged !== undefined) {
      this.#bytes += bytesOf(merged) - bytesOf(last.message)
      last.message = merged
      return 0
    }
    const isPrecious = message.type === 'asset' && message.overwrite
    if (!isPrecious && this.#bytes + bytesOf(message) > mostBytes) return 1
    const dropped = this.#waiting < mostItems ? 0 : this.#makeRoom()
    if (this.#waiting >= mostItems && !isPrecious) return dropped + 1
    const number = (this.#count += 1)
    const item = { message, lane, counted: countedOf(message), number, attempts: 0, isUncertain: false }
    waiting.push(item)
    this.#lanes.set(lane, waiting)
    this.#waiting += 1
    this.#bytes += bytesOf(message)
    this.#mark(lane, item.counted)
    return dropped
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
    this.#bytes -= bytesOf(item.message)
    if ((this.#lanes.get(item.lane)?.length ?? 0) > 0) this.#mark(item.lane, item.counted)
    else this.#lanes.delete(item.lane)
  }

  /** It did not come, and is the next of its lane again, unless a newer one has taken its place. */
  putBack(item: Item): void {
    this.#busy.delete(item.lane)
    const waiting = this.#lanes.get(item.lane) ?? []
    const [next] = waiting
    if (next !== undefined && isReplacedBy(next.message)) {
      this.#bytes -= bytesOf(item.message)
    } else {
      waiting.unshift(item)
      this.#waiting += 1
    }
    this.#lanes.set(item.lane, waiting)
    this.#mark(item.lane, item.counted)
  }

  /** Everything that has not come, in its order; nothing is left. */
  takeAll(): Item[] {
    for (const item of this.#busy.values()) item.isUncertain = true
    const all = [...this.#busy.values(), ...[...this.#lanes.values()].flat()]
    this.#lanes.clear()
    this.#busy.clear()
    for (const lanes of this.#ready.values()) lanes.clear()
    this.#waiting = 0
    this.#bytes = 0
    return all.toSorted((one, other) => one.number - other.number)
  }

  #mark(lane: string, counted: Counted): void {
    if (!this.#busy.has(lane)) this.#ready.get(counted)?.add(lane)
  }

  #makeRoom(): number {
    const output = this.#lanes.get('output') ?? []
    const longest = [...this.#lanes]
      .filter(([lane]) => lane.startsWith('metric:'))
      .reduce<Item[]>((most, [, items]) => (items.length > most.length ? items : most), [])
    const from = output.length > 0 ? output : longest
    const gone = from.splice(0, Math.min(droppedAtOnce, from.length))
    this.#waiting -= gone.length
    for (const { message } of gone) this.#bytes -= bytesOf(message)
    const [{ lane, counted } = { lane: '', counted: 'metric' as const }] = gone
    if (from.length === 0) this.#ready.get(counted)?.delete(lane)
    return gone.length
  }
}

function laneOf(message: CometMessage): string {
  if ('name' in message) return `${message.type}:${message.name}`
  return message.type === 'asset' ? `asset:${message.fileName}` : message.type
}

function countedOf({ type }: CometMessage): Counted {
  return type === 'metric' || type === 'parameter' || type === 'output' ? type : 'other'
}

const bytesOf = (message: CometMessage): number =>
  message.type === 'asset' && 'bytes' in message.content ? message.content.bytes.length : 0

/** One message in place of two that wait in the same lane; `undefined` where both have to be told. */
function merge(last: CometMessage, next: CometMessage): CometMessage | undefined {
  if (isReplacedBy(next)) return next
  if (last.type === 'tags' && next.type === 'tags') {
    return { type: 'tags', tags: [...new Set([...last.tags, ...next.tags])] }
  }
  if (last.type === 'system' && next.type === 'system') {
    const more = { ...last.details.more, ...next.details.more }
    return { type: 'system', details: { ...last.details, ...next.details, more } }
  }
  if (last.type === 'times' && next.type === 'times') return { ...last, ...next }
  if (
    last.type === 'output' &&
    next.type === 'output' &&
    last.lines.length + next.lines.length <= mostLines
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
