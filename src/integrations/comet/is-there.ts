import type { Answer, JsonApi } from '../../http/json-api.ts'
import { CometRefusal } from './comet-refusal.ts'
import type { AssetMessage, CometMessage } from './message.ts'

/** Who is asked about what. */
export interface Asking {
  readonly api: JsonApi
  readonly experimentKey: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * Whether the server has something that it would have twice, if it were sent again: a point of a metric, a file or page that is added. All
 * else takes the place of what is there. A server that will not tell has it not: twice is better than never.
 * @throws CometRefusal for what may pass
 */
export async function isThere(message: CometMessage, asking: Asking): Promise<boolean> {
  try {
    return await look(message, asking)
  } catch (error) {
    if (error instanceof CometRefusal && !error.mayPass) return false
    throw error
  }
}

async function look(message: CometMessage, asking: Asking): Promise<boolean> {
  const { api, experimentKey, timeoutMs, signal } = asking
  const ask = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    api.call({ path: `experiment/${path}`, query: { experimentKey, ...query } }, timeoutMs, signal)
  if (message.type === 'metric') {
    const { metrics } = await ask('metrics/get-metric', { metricName: message.name })
    return listOf(metrics).some(
      ({ metricValue, timestamp }) =>
        Number(metricValue) === message.value && Number(timestamp) === message.atMs,
    )
  }
  if (message.type === 'asset' && !message.overwrite) {
    const { assets } = await ask('asset/list', { type: 'all' })
    return listOf(assets).some(
      ({ fileName, fileSize }) => fileName === message.fileName && fileSize === sizeOf(message),
    )
  }
  if (message.type === 'html' && !message.override) {
    const { html } = await ask('html')
    return typeof html === 'string' && html.includes(message.html)
  }
  return false
}

const sizeOf = ({ content }: AssetMessage): number => ('bytes' in content ? content.bytes.length : -1)
const listOf = (value: unknown): readonly Answer[] => (Array.isArray(value) ? (value as Answer[]) : [])
