import { readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import type { ApiCall } from '../../http/json-api.ts'
import { CometRefusal } from './comet-refusal.ts'
import { toForm } from './form.ts'
import type { AssetMessage, CometMessage, CometPoint, SystemDetails } from './message.ts'

/** A larger file would have to go in parts, which this client does not do; it is Comet's usual limit of an upload. */
const largestAssetBytes = 200 * 1024 * 1024

/**
 * The request that tells a message.
 * @throws CometRefusal for a file that cannot be read
 */
export async function toCall(message: CometMessage, experimentKey: string): Promise<ApiCall> {
  const post = (path: string, body: Readonly<Record<string, unknown>>): ApiCall => ({
    path: `write/experiment/${path}`,
    body: { experimentKey, ...body },
  })
  switch (message.type) {
    case 'metric': {
      const { name, value, atMs, ...point } = message
      return post('metric', { metricName: name, metricValue: value, timestamp: atMs, ...pointOf(point) })
    }
    case 'parameter':
      return post('parameter', {
        parameterName: message.name,
        parameterValue: message.value,
        timestamp: message.atMs,
      })
    case 'other':
      return post('log-other', { key: message.name, value: message.value, timestamp: message.atMs })
    case 'tags':
      return post('tags', { addedTags: message.tags })
    case 'html':
      return post('html', { html: message.html, override: message.override, timestamp: message.atMs })
    case 'output':
      return post('output', {
        runContext: '',
        outputLines: message.lines.map(({ text, isError, atMs, offset }) => ({
          output: text,
          stderr: isError,
          localTimestamp: atMs,
          offset,
        })),
      })
    case 'system':
      return post('system-details', systemFields(message.details))
    case 'times':
      return post('set-start-end-time', {
        ...(message.startMs === undefined ? {} : { startTimeMillis: message.startMs }),
        ...(message.endMs === undefined ? {} : { endTimeMillis: message.endMs }),
      })
    case 'status':
      return post('update-status', {
        isAlive: message.isAlive,
        ...(message.error === undefined ? {} : { error: message.error, hasCrashed: true }),
      })
    case 'asset':
      return uploadOf(message, experimentKey)
  }
}

const pointOf = ({ step, epoch, context }: CometPoint): CometPoint => ({
  ...(step === undefined ? {} : { step }),
  ...(epoch === undefined ? {} : { epoch }),
  ...(context === undefined ? {} : { context }),
})

function systemFields({ more, ...details }: SystemDetails): Readonly<Record<string, unknown>> {
  const additional = Object.entries(more ?? {}).map(([key, value]) => ({ key, value }))
  return { ...details, ...(additional.length === 0 ? {} : { logAdditionalSystemInfoList: additional }) }
}

async function uploadOf(asset: AssetMessage, experimentKey: string): Promise<ApiCall> {
  const { fileName, assetType, overwrite, step, epoch, context, metadata } = asset
  const extension = extname(fileName).slice(1)
  const query = {
    experimentKey,
    fileName,
    type: assetType,
    ...(extension === '' ? {} : { extension }),
    overwrite: String(overwrite),
    ...(step === undefined ? {} : { step: String(step) }),
    ...(epoch === undefined ? {} : { epoch: String(epoch) }),
    ...(context === undefined ? {} : { context }),
  }
  const upload = toForm([
    { name: 'file', fileName, content: await bytesOf(asset) },
    ...(metadata === undefined ? [] : [{ name: 'metadata', content: JSON.stringify(metadata) }]),
  ])
  return { path: 'write/experiment/upload-asset', query, upload }
}

/** @throws CometRefusal which says why a file is no asset */
export async function bytesOf({ content }: Pick<AssetMessage, 'content'>): Promise<Uint8Array> {
  if ('bytes' in content) return content.bytes
  let size: number
  try {
    size = (await stat(content.path)).size
    if (size <= largestAssetBytes) return await readFile(content.path)
  } catch (cause) {
    const { code = 'it cannot be read' } = cause as NodeJS.ErrnoException
    throw new CometRefusal('refused', `is not given ${content.path} (${code})`)
  }
  const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024)
  throw new CometRefusal(
    'refused',
    `is not given ${content.path}, which has ${mebibytes(size)} MiB: ${mebibytes(largestAssetBytes)} MiB is the most`,
  )
}
