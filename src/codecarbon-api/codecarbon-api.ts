import type { Clock } from '../core/clock.ts'
import type { Fetch } from '../http/http-request.ts'
import { createJsonApi, fieldsOf, type Answer } from '../http/json-api.ts'
import type { Secret } from '../http/secret.ts'
import { readingRules, unexpectedAnswer, writingRules } from './api-refusal.ts'

/** A body as the API takes it. */
export type ApiBody = Readonly<Record<string, string | number | null>>

/** A thing that the server has. */
export interface OnServer {
  readonly id: string
  /** In milliseconds since 1970. */
  readonly wallMs: number
  readonly fields: Answer
}

/** The calls of the CodeCarbon API that uploads need. Each rejects with an ApiRefusal. */
export interface CodecarbonApi {
  /** Name of the server, for messages. */
  readonly server: string
  /** @returns id of the run */
  createRun(body: ApiBody, how: AskOptions): Promise<string>
  addEmission(body: ApiBody, how: AskOptions): Promise<void>
  /** Runs of an experiment. */
  runsOf(experimentId: string, how: AskOptions): Promise<readonly OnServer[]>
  /** What a run was told from a moment on, newest first. */
  emissionsOf(runId: string, sinceMs: number, how: AskOptions): Promise<readonly OnServer[]>
}

/** How a call is made. */
export interface AskOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** What the API is asked with. */
export interface CodecarbonApiParts {
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly apiKey: Secret | undefined
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Of emissions, by page; the server gives 10,000 at most. */
const pageSize = 1000

/** Speaks with the CodeCarbon API as CodeCarbon for Python does, with the key as `x-api-token`. */
export function createCodecarbonApi({ endpoint, apiKey, fetch, clock }: CodecarbonApiParts): CodecarbonApi {
  const usual = {
    ...{ name: 'the CodeCarbon API', url: endpoint, basePath: '/', fetch, clock },
    headers: apiKey === undefined ? {} : { 'x-api-token': apiKey.reveal() },
  }
  const writing = createJsonApi({ ...usual, rules: writingRules })
  const reading = createJsonApi({ ...usual, rules: readingRules })
  return {
    server: writing.server,
    async createRun(body, { timeoutMs, signal }) {
      const { id } = await writing.call({ path: 'runs', body }, timeoutMs, signal)
      if (typeof id === 'string') return id
      throw unexpectedAnswer()
    },
    async addEmission(body, { timeoutMs, signal }) {
      await writing.call({ path: 'emissions', body }, timeoutMs, signal)
    },
    async runsOf(experimentId, { timeoutMs, signal }) {
      return toList(await reading.call({ path: `experiments/${experimentId}/runs` }, timeoutMs, signal))
    },
    async emissionsOf(runId, sinceMs, { timeoutMs, signal }) {
      const found: OnServer[] = []
      for (let page = 1; ; page += 1) {
        const query = { page: String(page), size: String(pageSize) }
        const answer = await reading.call({ path: `runs/${runId}/emissions`, query }, timeoutMs, signal)
        const items = toList(answer['items'])
        found.push(...items.filter(({ wallMs }) => wallMs >= sinceMs))
        const isLast = items.length < pageSize || items.some(({ wallMs }) => wallMs < sinceMs)
        if (isLast) return found
      }
    },
  }
}

function toList(value: unknown): OnServer[] {
  if (!Array.isArray(value)) throw unexpectedAnswer()
  return value.flatMap((entry) => {
    const fields = fieldsOf(entry)
    const { id, timestamp } = fields
    return typeof id === 'string' && typeof timestamp === 'string'
      ? [{ id, wallMs: toWallMs(timestamp), fields }]
      : []
  })
}

/** The server's database keeps UTC, and its answers do not say so. */
function toWallMs(timestamp: string): number {
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(timestamp)
  return Date.parse(hasZone ? timestamp : `${timestamp}Z`)
}
