import { toName, toValue, type CometMessage, type MetricMessage, type SystemDetails } from './message.ts'

/** A line of `messages.json`. */
export interface ArchiveLine {
  readonly type: 'ws_msg' | 'file_upload'
  readonly payload: Readonly<Record<string, unknown>>
}

/** What a line tells besides its message. */
export interface LineFacts {
  /** Where the archive has the file of an asset. */
  readonly filePath: string
  /** It may have come to the server before; `comet_ml` knows no such thing. */
  readonly isUncertain: boolean
}

/** The lines of a message, in the form that `comet_ml` writes offline. Tags, times and status stand in `experiment.json` instead. */
export function toLines(
  message: CometMessage,
  nowMs: number,
  { filePath, isUncertain }: LineFacts,
): ArchiveLine[] {
  const doubt = isUncertain ? { is_uncertain: true } : {}
  const line = (payload: Readonly<Record<string, unknown>>, atMs = nowMs): ArchiveLine => ({
    type: 'ws_msg',
    payload: { local_timestamp: atMs, ...payload, ...doubt },
  })
  switch (message.type) {
    case 'metric': {
      const { name, value, step = null, epoch = null, context = null, atMs } = message
      return [line({ metric: { metricName: name, metricValue: value, step, epoch }, context }, atMs)]
    }
    case 'parameter':
      return [
        line({ param: { paramName: message.name, paramValue: message.value, step: null } }, message.atMs),
      ]
    case 'other':
      return [line({ log_other: { key: message.name, val: message.value } }, message.atMs)]
    case 'html':
      return [line({ [message.override ? 'htmlOverride' : 'html']: message.html }, message.atMs)]
    case 'output':
      return message.lines.map(({ text, isError, atMs, offset }) =>
        line({ stdout: text, stderr: isError, offset }, atMs),
      )
    case 'system': {
      const { more = {}, ...details } = message.details
      return [
        line({ env_details: toSnake(details) }),
        ...Object.entries(more).map(([key, value]) => line({ log_system_info: { key, value } })),
      ]
    }
    case 'asset': {
      const { fileName, assetType, overwrite, step = null, epoch = null, context = null, metadata } = message
      const extension = /\.([^./]+)$/.exec(fileName)?.[1] ?? null
      return [
        {
          type: 'file_upload',
          payload: {
            local_timestamp: nowMs,
            upload_type: assetType,
            file_path: filePath,
            additional_params: { fileName, extension, overwrite, step, epoch, context, type: assetType },
            clean: false,
            metadata: metadata ?? null,
            ...doubt,
          },
        },
      ]
    }
    case 'tags':
    case 'times':
    case 'status':
      return []
  }
}

/** A message of an archive, of ours or of `comet_ml`. An asset is named by the file that the archive has of it. */
export type ArchivedMessage =
  | Exclude<CometMessage, { readonly type: 'asset' }>
  | (Omit<Extract<CometMessage, { readonly type: 'asset' }>, 'content'> & { readonly filePath: string })

/** What a line of that number says, with names and values as Comet takes them; `undefined` where it says nothing that can be told through REST. */
export function fromLine(value: unknown, number: number): ArchivedMessage | undefined {
  const { type, payload } = fieldsOf(value)
  const fields = fieldsOf(payload)
  if (type === 'file_upload') return fromUpload(fields)
  if (type !== 'ws_msg' && type !== 'metric_msg' && type !== 'parameter_msg') return undefined
  const atMs = numberIn(fields, 'local_timestamp') ?? numberIn(fields, 'timestamp') ?? Date.now()
  const metric = fieldsOf(fields['metric'])
  if ('metricName' in metric) return fromMetric(metric, fields, atMs)
  const param = fieldsOf(fields['param'])
  if ('paramName' in param)
    return {
      type: 'parameter',
      name: toName(String(param['paramName'])),
      value: toValue(textOf(param['paramValue'])),
      atMs,
    }
  const other = fieldsOf(fields['log_other'])
  if ('key' in other)
    return { type: 'other', name: toName(String(other['key'])), value: toValue(textOf(other['val'])), atMs }
  if (typeof fields['htmlOverride'] === 'string')
    return { type: 'html', html: fields['htmlOverride'], override: true, atMs }
  if (typeof fields['html'] === 'string') return { type: 'html', html: fields['html'], override: false, atMs }
  if (typeof fields['stdout'] === 'string') {
    const offset = integerIn(fields, 'offset') ?? number
    return {
      type: 'output',
      lines: [{ text: fields['stdout'], isError: fields['stderr'] === true, atMs, offset }],
    }
  }
  const info = fieldsOf(fields['log_system_info'])
  if ('key' in info)
    return { type: 'system', details: { more: { [String(info['key'])]: textOf(info['value']) } } }
  if ('env_details' in fields) return { type: 'system', details: fromSnake(fieldsOf(fields['env_details'])) }
  return undefined
}

function fromMetric(metric: Fields, { context }: Fields, atMs: number): MetricMessage | undefined {
  const value = Number(metric['metricValue'])
  if (!Number.isFinite(value)) return undefined
  return {
    type: 'metric',
    name: toName(String(metric['metricName'])),
    value,
    atMs: Math.round(atMs),
    ...optional('step', integerIn(metric, 'step')),
    ...optional('epoch', integerIn(metric, 'epoch')),
    ...optional('context', typeof context === 'string' ? toName(context) : undefined),
  }
}

function fromUpload(fields: Fields): ArchivedMessage | undefined {
  const { file_path: filePath, upload_type: uploadType, additional_params: given, metadata } = fields
  const params = fieldsOf(given)
  if (typeof filePath !== 'string') return undefined
  return {
    type: 'asset',
    filePath,
    fileName: toName(typeof params['fileName'] === 'string' ? params['fileName'] : filePath),
    assetType: typeof params['type'] === 'string' ? params['type'] : textOf(uploadType ?? 'asset'),
    overwrite: params['overwrite'] === true,
    ...optional('step', integerIn(params, 'step')),
    ...optional('epoch', integerIn(params, 'epoch')),
    ...optional('context', typeof params['context'] === 'string' ? toName(params['context']) : undefined),
    ...(typeof metadata === 'object' && metadata !== null ? { metadata: fieldsOf(metadata) } : {}),
  }
}

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

const numberIn = (fields: Fields, name: string): number | undefined => {
  const value = fields[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

const integerIn = (fields: Fields, name: string): number | undefined => {
  const value = numberIn(fields, name)
  return value === undefined ? undefined : Math.round(value)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))

const optional = <Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> => (value === undefined ? {} : ({ [name]: value } as Record<Name, Value>))

/** Fields of `env_details` that a request for system details has too; what else there is belongs to Python. */
const systemNames = [
  'user',
  'hostname',
  'ip',
  'os',
  'osType',
  'osRelease',
  'machine',
  'processor',
  'pid',
  'executable',
  'pythonVersion',
  'command',
  'installedPackages',
] as const satisfies readonly (keyof SystemDetails)[]

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const toSnake = (details: SystemDetails): Fields =>
  Object.fromEntries(Object.entries(details).map(([name, value]) => [snake(name), value as unknown]))

const fromSnake = (fields: Fields): SystemDetails =>
  Object.fromEntries(
    systemNames.flatMap((name) => {
      const value = fields[snake(name)]
      const isList = name === 'command' || name === 'installedPackages'
      const isGood = isList
        ? Array.isArray(value) && value.every((item) => typeof item === 'string')
        : typeof value === (name === 'pid' ? 'number' : 'string')
      return isGood ? [[name, value]] : []
    }),
  )
