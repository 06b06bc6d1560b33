import type { Answer, JsonApi } from '../../http/json-api.ts'
import { CometRefusal } from './comet-refusal.ts'
import type { CometMessage, MetricMessage } from './message.ts'
import { bytesOf } from './to-call.ts'

/** Who is asked about what. */
export interface Asking {
  readonly api: JsonApi
  readonly experimentKey: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** Bytes of a larger file are not fetched: that it has the same name, step and size is enough. */
const mostCompared = 8_000_000

/**
 * Whether the server has something that it would have twice, if it were sent again: a point of a metric, a file or page that is added. All
 * else takes the place of what is there. A server that will not tell has it not: twice is better than never.
 *
 * @param copies how many points like it there are to be with it
 * @throws CometRefusal for what may pass
 */
export async function isThere(message: CometMessage, copies: number, asking: Asking): Promise<boolean> {
  try {
    return await look(message, copies, asking)
  } catch (error) {
    if (error instanceof CometRefusal && !error.mayPass) return false
    throw error
  }
}

async function look(message: CometMessage, copies: number, asking: Asking): Promise<boolean> {
  const { api, experimentKey, timeoutMs, signal } = asking
  const ask = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    api.call({ path: `experiment/${path}`, query: { experimentKey, ...query } }, timeoutMs, signal)
  if (message.type === 'metric') {
    const { metrics } = await ask('metrics/get-metric', { metricName: message.name })
    return listOf(metrics).filter((point) => isPoint(point, message)).length >= copies
  }
  if (message.type === 'asset' && !message.overwrite) {
    const { assets } = await ask('asset/list', { type: 'all' })
    const bytes = await bytesOf(message)
    const alike = listOf(assets).filter(
      ({ fileName, fileSize, step }) =>
        fileName === message.fileName &&
        Number(fileSize) === bytes.length &&
        (step ?? undefined) === message.step,
    )
    if (bytes.length > mostCompared) return alike.length > 0
    for (const { assetId } of alike) {
      const query = { experimentKey, assetId: String(assetId) }
      const there = await api.download({ path: 'experiment/asset/get-asset', query }, timeoutMs, signal)
      if (Buffer.from(there).equals(bytes)) return true
    }
    return false
  }
  if (message.type === 'html' && !message.override) {
    const { html } = await ask('html')
    return typeof html === 'string' && html.includes(message.html)
  }
  return false
}

/** Whether a point of the server's is that one. */
const isPoint = (point: Answer, { value, atMs, step, epoch, context }: MetricMessage): boolean =>
  Number(point['metricValue']) === value &&
  Number(point['timestamp']) === atMs &&
  (point['step'] ?? undefined) === step &&
  (point['epoch'] ?? undefined) === epoch &&
  (point['context'] ?? point['runContext'] ?? undefined) === context

const listOf = (value: unknown): readonly Answer[] => (Array.isArray(value) ? (value as Answer[]) : [])
