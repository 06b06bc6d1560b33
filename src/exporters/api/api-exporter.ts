import type { ApiBody } from '../../codecarbon-api/codecarbon-api.ts'
import type { Clock } from '../../core/clock.ts'
import type { EmissionsData } from '../../core/emissions-data.ts'
import { EnergyError } from '../../core/errors.ts'
import type { Exporter, Report } from '../../core/exporter.ts'
import type { ConnectParts, Connection } from './connect.ts'
import type { RunFile } from './run-file.ts'
import { toSlice } from './slice.ts'
import type { Spool } from './spool.ts'

/** Options of {@link createApiExporter}. */
export interface ApiExporterOptions {
  /** Address of the API, without a slash at its end. */
  readonly endpoint: string
  readonly experimentId: string
  readonly spool: Spool
  readonly clock: Clock
  /** Loads what sends; `undefined` where nothing may be sent by this run, and all is kept. */
  readonly openCourier: OpenCourier | undefined
  /** Why nothing is sent, where that is so. */
  readonly whyNot?: string
  /** Time in which the last slices have to be sent before the spool keeps them. @default 4500 */
  readonly endMs?: number
  readonly log: (severity: 'info' | 'warning', message: string) => void
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number
}

/** Makes a courier, and tells the name of the server. */
export type OpenCourier = (
  hooks: Pick<ConnectParts, 'onTrouble' | 'onRecovery' | 'onMayComeTwice' | 'onSkew'>,
) => Promise<Connection>

const whatSends = 'to be sent by the next run or by codecarbon api flush'

/** Less than the run waits for an output. */
const usualEndMs = 4500

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Uploads a run to the CodeCarbon API, where its dashboard shows it: a slice at each report. Each is written to the spool first, in the moment at which it is
 * reported, and sent from there in the background. What is not sent at the end, in whatever way that comes, is sent by the next run or by `codecarbon api flush`.
 */
export function createApiExporter(options: ApiExporterOptions): Exporter {
  const {
    endpoint,
    experimentId,
    spool,
    log,
    openCourier,
    endMs = usualEndMs,
    random = Math.random,
  } = options
  const isWrong = !uuid.test(experimentId)
  let file: RunFile | undefined
  let opening: Promise<void> | undefined
  let connection: Connection | undefined
  let fail: (message: string) => void = () => undefined
  let isTold = false
  let isDiskTold = false
  /** What went wrong last, where nothing has come since. */
  let problem: string | undefined
  let isEnded = false
  let isDrained = false
  let isClosed = false

  function told(message: string): void {
    isTold = true
    fail(message)
  }

  /** Into the spool, which takes a line. @returns whether there was something new */
  function keep(report: Report): void {
    const { total, reason } = report
    if (isWrong || isClosed || isEnded) return
    if (reason === 'stop' || reason === 'exit') isEnded = true
    if (file !== undefined && total.duration <= (file.last?.sums.seconds ?? 0)) return
    file ??= begin(report)
    file.add(toSlice(report, file.last))
    if (file.problem === undefined || isDiskTold) return
    isDiskTold = true
    told(
      `what waits to be sent cannot be kept in ${spool.folder} (${file.problem}), so that a crash would lose it`,
    )
  }

  function begin({ total, snapshot }: Report): RunFile {
    const beganMs = snapshot.at.wallMs - total.duration * 1000
    const run = toRun(total, experimentId, beganMs, random)
    const begun = spool.begin(`${Math.round(beganMs)}-${total.runId}`, { endpoint, run })
    connection?.courier.carry(begun)
    return begun
  }

  /** What sends is loaded when there is something to be sent. */
  async function open(): Promise<void> {
    if (openCourier === undefined) return
    connection = await openCourier({
      onTrouble(refusal, { isOwn, isTriedAgain }) {
        const message = `${nameOfServer()} ${refusal.message}`
        if (!isOwn) {
          log('info', `output api: ${message}; a run of before waits in ${spool.folder}`)
          return
        }
        problem = message
        told(
          `${message}; what is to be sent waits in ${spool.folder}${isTriedAgain ? ', and is sent again' : ''}`,
        )
      },
      onSkew(message) {
        log('warning', `output api: ${message}`)
      },
      onRecovery() {
        problem = undefined
      },
      onMayComeTwice() {
        log(
          'warning',
          `output api: ${nameOfServer()} did not say whether it took a slice, and does not let this key look: it may be there twice`,
        )
      },
    })
    if (file !== undefined) connection.courier.carry(file)
  }

  const nameOfServer = (): string => connection?.server ?? 'the CodeCarbon API'

  async function send(report: Report): Promise<void> {
    keep(report)
    if (file === undefined) return
    await Promise.all([file.sync(), (opening ??= open())])
    if (connection === undefined || isClosed) return
    const { courier } = connection
    if (isEnded) courier.endOwn()
    if (report.reason === 'live') {
      courier.kick()
      return
    }
    await courier.drain(endMs, report.reason === 'stop' ? 'all' : 'own')
    isDrained = report.reason === 'stop'
    tellWaiting(courier.ownLeft, isDrained)
  }

  /** The program did not wait for the end: as much as comes while it goes on. */
  async function sendLater(): Promise<void> {
    await (opening ??= open())
    connection?.courier.endOwn()
    await connection?.courier.drain(endMs, 'own')
    release()
  }

  /** In one line. @throws EnergyError where something waits */
  function tellWaiting(slices: number, isEnd: boolean): void {
    if (slices === 0) return
    const why = problem === undefined ? '' : ` (${problem})`
    const message = `${slices} slice${slices === 1 ? '' : 's'} of this run wait${slices === 1 ? 's' : ''} in ${spool.folder}, ${whatSends}${why}`
    // A problem that goes on is told once, this is another one.
    if (isTold && isEnd) log('warning', `output api: ${message}`)
    isTold = true
    throw new EnergyError('ERR_EXPORT_FAILED', message)
  }

  function release(): void {
    const isDone = connection?.courier.isOwnDone ?? false
    connection?.close()
    file?.close(isDone && isEnded)
  }

  return {
    name: 'api',
    isRemote: openCourier !== undefined,
    keepsUnsent: true,
    open(_look, onFail) {
      if (onFail !== undefined) fail = onFail
      if (isWrong)
        throw new EnergyError(
          'ERR_EXPORT_FAILED',
          'experiment_id is no UUID, so no experiment of the CodeCarbon API: codecarbon init makes one; nothing is sent',
        )
      if (options.whyNot !== undefined)
        log(
          'warning',
          `output api: ${options.whyNot}: what is to be sent waits in ${spool.folder}; to send it: codecarbon api flush`,
        )
    },
    export: send,
    exportSync(report) {
      keep(report)
      file?.syncNow()
      if (report.reason === 'exit' && file !== undefined && !isClosed)
        log('info', `output api: the end of this run waits in ${spool.folder}, ${whatSends}`)
    },
    close() {
      if (isClosed) return
      isClosed = true
      if (isEnded && !isDrained && file !== undefined && openCourier !== undefined)
        // What fails there is sent by the next run.
        void sendLater().catch(() => undefined)
      else release()
    },
  }
}

/** The run as the API takes it. Places are told to a tenth of a degree, some 10 km, as CodeCarbon for Python does. */
function toRun(total: EmissionsData, experimentId: string, beganMs: number, random: () => number): ApiBody {
  return {
    timestamp: momentOf(beganMs, random),
    experiment_id: experimentId,
    os: total.os,
    python_version: total.pythonVersion,
    codecarbon_version: total.codecarbonVersion,
    cpu_count: total.cpuCount ?? null,
    cpu_model: total.cpuModel ?? null,
    gpu_count: total.gpuCount ?? null,
    gpu_model: total.gpuModel ?? null,
    longitude: toTenth(total.longitude),
    latitude: toTenth(total.latitude),
    region: total.cloudRegion ?? null,
    provider: total.cloudProvider ?? null,
    ram_total_size: total.ramTotalSize ?? null,
    tracking_mode: total.trackingMode,
  }
}

/** Runs that begin in the same millisecond are told apart by the microseconds, which no clock here knows and chance makes up. */
function momentOf(wallMs: number, random: () => number): string {
  const microseconds = String(Math.floor(random() * 1000)).padStart(3, '0')
  return `${new Date(wallMs).toISOString().slice(0, -1)}${microseconds}Z`
}

const toTenth = (degrees: number | undefined): number | null =>
  degrees === undefined ? null : Math.round(degrees * 10) / 10
