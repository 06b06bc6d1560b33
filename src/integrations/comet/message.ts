import { createHash } from 'node:crypto'
import { inspect } from 'node:util'

/** One thing that is told of an experiment. Times are milliseconds since 1970. */
export type CometMessage =
  | MetricMessage
  | { readonly type: 'parameter'; readonly name: string; readonly value: string; readonly atMs: number }
  | { readonly type: 'other'; readonly name: string; readonly value: string; readonly atMs: number }
  | { readonly type: 'tags'; readonly tags: readonly string[] }
  | { readonly type: 'html'; readonly html: string; readonly override: boolean; readonly atMs: number }
  | { readonly type: 'output'; readonly lines: readonly OutputLine[] }
  | { readonly type: 'system'; readonly details: SystemDetails }
  | AssetMessage
  | { readonly type: 'times'; readonly startMs?: number; readonly endMs?: number }
  | { readonly type: 'status'; readonly isAlive: boolean; readonly error?: string }

/** Where in the work of an experiment something belongs. */
export interface CometPoint {
  readonly step?: number | undefined
  readonly epoch?: number | undefined
  /** Part of the work, such as `train` or the name of a task. */
  readonly context?: string | undefined
}

/** A point of a metric. */
export interface MetricMessage extends CometPoint {
  readonly type: 'metric'
  readonly name: string
  readonly value: number
  readonly atMs: number
}

/** What a message is, for people. */
export function nameOf(
  message: Exclude<CometMessage, AssetMessage> | Pick<AssetMessage, 'type' | 'fileName'>,
): string {
  if (message.type === 'asset') return `asset ${message.fileName}`
  return 'name' in message ? `${message.type} ${message.name}` : words[message.type]
}

const words = {
  tags: 'a list of tags',
  html: 'a page',
  output: 'output',
  system: 'a list of system details',
  times: 'when it began or ended',
  status: 'how it ended',
} as const

/** Whether both are the same point of a metric, told twice. */
export const isSamePoint = (one: CometMessage | undefined, other: CometMessage): boolean =>
  one?.type === 'metric' &&
  other.type === 'metric' &&
  (['name', 'value', 'atMs', 'step', 'epoch', 'context'] as const).every(
    (field) => one[field] === other[field],
  )

/** A line of what a program prints. */
export interface OutputLine {
  readonly text: string
  readonly isError: boolean
  readonly atMs: number
  /** Its number, by which lines stand in their order and one that comes twice counts once. */
  readonly offset: number
}

/** A file, or bytes that stand for one. */
export interface AssetMessage extends CometPoint {
  readonly type: 'asset'
  readonly fileName: string
  readonly assetType: string
  /** Takes the place of what has the same name. */
  readonly overwrite: boolean
  readonly content: { readonly path: string } | { readonly bytes: Uint8Array }
  /** Whatever is to be told of it. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

/** What is known of the machine and the process. */
export interface SystemDetails {
  readonly user?: string
  readonly hostname?: string
  readonly ip?: string
  readonly os?: string
  readonly osType?: string
  readonly osRelease?: string
  readonly machine?: string
  readonly processor?: string
  readonly pid?: number
  readonly executable?: string
  /** Comet's name for the version of the runtime. */
  readonly pythonVersion?: string
  readonly command?: readonly string[]
  readonly installedPackages?: readonly string[]
  /** Whatever else there is to tell. */
  readonly more?: Readonly<Record<string, string>>
}

/** Caps of Comet's own clients: MAXIMAL_KEY_LENGTH and MAXIMAL_VALUE_LENGTH of comet_ml. */
const longestName = 100
const longestValue = 1000
/** Of why an experiment failed. */
export const longestError: number = longestValue

/** A name as Comet takes it. A longer one keeps its ending and is told from others that begin like it. */
export function toName(name: string): string {
  if (name.length <= longestName) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  const extension = /\.\w{1,10}$/.exec(name)?.[0] ?? ''
  return `${cut(name, longestName - hash.length - extension.length - 1)}~${hash}${extension}`
}

/** A value as Comet takes it. */
export const toValue = (value: unknown): string =>
  cut(typeof value === 'object' && value !== null ? textOf(value) : String(value), longestValue)

function textOf(value: object): string {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Error) return `${value.name}: ${value.message}`
  const isList = value instanceof Map || value instanceof Set
  try {
    if (!isList) return JSON.stringify(value)
  } catch {
    // Something that holds itself, or what JSON does not know.
  }
  return inspect(value, { breakLength: Infinity })
}

/** No half of a pair of surrogates is left over. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const end = text.slice(0, most)
  return /[\ud800-\udbff]$/.test(end) ? end.slice(0, -1) : end
}
