import { toModelCallUse, type ModelCallUse } from '../../core/model-calls.ts'
import { isScopeKind } from '../../scopes/scope-kinds.ts'
import type { ScopeKind, ScopeLabels } from '../../scopes/work-scope.ts'

/** What has happened to a scope of a child since it was told last: a line of JSON in its mailbox. */
export interface ScopeNews {
  /** Of the child. */
  readonly id: number
  /** Given where the scope is new. */
  kind?: ScopeKind
  /** Where it is new: when it began, in seconds of the clock of the machine. */
  begunAt?: number
  /** Where it is new: the scope that it is part of. */
  parent?: number
  name?: string
  /** Those that were added or changed. */
  labels?: Record<string, string>
  cpuMicroseconds?: number
  /** Functional units. */
  units?: number
  /** Calls of models that were made in it. */
  modelCalls?: ModelCallUse[]
  /** Given where it has ended, as is how long it took. */
  outcome?: string
  durationSeconds?: number
  /** Given where it is not to be measured after all. */
  isDiscarded?: boolean
}

/** A worker thread of the child has ended, whatever became of its scopes. */
export interface ThreadNews {
  /** As its files name it. */
  readonly endedThread: string
}

/** A name or a label longer than this is cut off. */
const longestText = 512

/** @returns with the line break; nothing of what cannot be told, such as a duration that is a BigInt */
export function renderNews(news: ScopeNews | ThreadNews): string {
  try {
    return `${JSON.stringify(news)}\n`
  } catch {
    return ''
  }
}

/** What a line says; `undefined` where it was not written whole. */
export function parseNews(line: string): ScopeNews | ThreadNews | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  if ('endedThread' in value)
    return typeof value.endedThread === 'string' ? { endedThread: value.endedThread } : undefined
  return 'id' in value && isCount(value.id) ? toScopeNews(value.id, value) : undefined
}

function toScopeNews(id: number, given: Partial<Record<keyof ScopeNews, unknown>>): ScopeNews {
  const {
    kind,
    begunAt,
    parent,
    name,
    labels,
    cpuMicroseconds,
    units,
    modelCalls,
    outcome,
    durationSeconds,
    isDiscarded,
  } = given
  return {
    id,
    ...(isScopeKind(kind) ? { kind } : {}),
    ...(isAmount(begunAt) ? { begunAt } : {}),
    ...(isCount(parent) ? { parent } : {}),
    ...(typeof name === 'string' ? { name: name.slice(0, longestText) } : {}),
    ...(typeof labels === 'object' && labels !== null ? { labels: toLabels(labels) } : {}),
    ...(isAmount(cpuMicroseconds) ? { cpuMicroseconds } : {}),
    ...(isAmount(units) ? { units } : {}),
    ...(Array.isArray(modelCalls)
      ? { modelCalls: modelCalls.flatMap((call) => toModelCallUse(call) ?? []) }
      : {}),
    ...(typeof outcome === 'string' ? { outcome: outcome.slice(0, longestText) } : {}),
    ...(isAmount(durationSeconds) ? { durationSeconds } : {}),
    ...(isDiscarded === true ? { isDiscarded } : {}),
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

const toLabels = (labels: object): Record<string, string> & ScopeLabels =>
  Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name.slice(0, longestText), value.slice(0, longestText)]] : [],
    ),
  )
