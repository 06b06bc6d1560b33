import { systemClock, type Clock } from '../../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../../core/errors.ts'
import type { Probe, ProbeResult } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Reading } from '../../core/reading.ts'
import type { Ratio, Seconds } from '../../core/units.ts'
import { selectGpus, type GpuIdentity } from '../../gpu/select-gpus.ts'
import { sentenceOf, type Refusal } from '../detector.ts'
import { meanUse, type GpuDevice, type ListedGpus } from '../gpu-device.ts'
import { isKoffiInstalled, noKoffi } from '../koffi.ts'
import type { Nvml, NvmlDevice, NvmlFacts } from './binding.ts'
import { GpuMeter } from './gpu-meter.ts'
import { findNvmlLibrary, otherLibrary } from './nvml-library.ts'
import { listCards, type Card } from './list-cards.ts'
import type { GpuProcessUse } from './process-use.ts'
import { NvmlError, returnCode } from './return-code.ts'
import { createSampler } from './sampler.ts'

/** Options of {@link createNvmlProbe}. */
export interface NvmlOptions {
  /** Cards to count, by index, UUID or beginning of one. @default those that CUDA shows, else all */
  readonly gpuIds?: readonly (string | number)[] | undefined
  /** The library to load. @default the driver's */
  readonly libraryPath?: string | undefined
  /** @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The clock that the meter reads by. @default systemClock */
  readonly clock?: Clock
  /** How the library is loaded; for tests. @default through koffi */
  readonly load?: (path: string) => Promise<Nvml>
}

/** Why there are no readings, and what would change that. */
export interface NvmlRefusal extends Refusal {
  /** True where the library cannot be called at all; else it is tried again. */
  readonly isFinal: boolean
}

/** NVIDIA's cards through their own library. */
export interface NvmlProbe extends Probe {
  /**
   * Settles when the library has been opened, or has failed to; never rejects. It keeps no process alive: who waits for it needs a timer of
   * his own.
   */
  readonly opened: Promise<void>
  /** Why it gives no readings; `undefined` while it opens, and where it is open. */
  refusal(): NvmlRefusal | undefined
  /** `undefined` until the cards were listed. */
  listed(): ListedGpus | undefined
  /** The cards that count and say who they are. */
  devices(): readonly GpuDevice[]
  /** How busy they were when they were last read, in the mean; `undefined` where none tells. */
  utilisation(): Ratio | undefined
  /** Whose work each of them did since this was last asked. Asks the cards: some ten microseconds each. */
  processUse(): readonly GpuProcessUse[]
}

/**
 * When a driver or card that failed is asked again: soon, for most failures are a reset that takes seconds; then more seldom, for asking a
 * dead card takes the driver up to seconds and writes to the kernel's log.
 */
const firstRetrySeconds = 5
const lastRetrySeconds = 300
/** How often cards are counted, for those that were plugged in or taken out: nobody does it often. */
const recountSeconds = 60

/** Why there are no readings where the library works and there is no card. */
export const noCardsReason = 'NVML finds no graphics processor'

/**
 * Energy of NVIDIA's graphics cards through NVML, the driver's `libnvidia-ml.so.1` or `nvml.dll`: by their own counter (Volta and newer),
 * else by the power they show, else by a model of the card from how busy it is. Needs no permission but that to open `/dev/nvidia*`.
 *
 * Counters step by a millijoule, every 20 to 100 ms, and start again with the driver. What they hold is the whole board: processor, memory,
 * regulators, fans. Of a card that is divided (MIG) it is the whole card, of a virtual one nothing.
 *
 * Loading and starting NVML may take seconds. It is done outside the event loop, after this returned; until then there are no readings. A
 * process that ends meanwhile waits for the call of the driver that is under way.
 *
 * @throws ProbeUnavailable where there is no library, or nothing to call it with
 */
export function createNvmlProbe(options: NvmlOptions = {}): NvmlProbe {
  const { gpuIds, libraryPath, environment = process.env, clock = systemClock, load } = options
  const path = load === undefined ? findNvmlLibrary({ libraryPath, environment }) : (libraryPath ?? '')
  if (load === undefined && !isKoffiInstalled()) throw noKoffi()

  const meters = new Map<string, GpuMeter>()
  /** The same as a list, for the tick. */
  let list: readonly GpuMeter[] = []
  const sampler = createSampler(clock, () => list)
  const told = new Set<string>()
  let pending: Problem[] = []
  let nvml: Nvml | undefined
  let driver: string | undefined
  let state: 'opening' | 'open' | 'failed' | 'closed' = 'opening'
  let refusal: NvmlRefusal | undefined
  let cardCount = 0
  let listed: ListedGpus | undefined
  /** Cards that did not say who they are, and may do so later. */
  let unidentified = 0
  let countedAt: Seconds | undefined
  let retryAt = Infinity
  let retrySeconds = firstRetrySeconds

  const isClosed = (): boolean => state === 'closed'

  /** Tells a problem of the whole once, however often it is found. */
  function tell(problem: Problem): void {
    if (told.has(problem.message)) return
    told.add(problem.message)
    pending.push(problem)
  }

  async function open(): Promise<void> {
    try {
      await pause()
      if (isClosed()) return
      if (nvml === undefined) nvml = await (load ?? loadByKoffi)(path)
      // What was opened before is let go, so that the library looks for cards anew.
      else await nvml.shutdown().catch(ignore)
      if (isClosed()) return
      await nvml.init()
      const { cards, driver: version } = await listCards(nvml, pause, isClosed)
      if (isClosed()) {
        await nvml.shutdown()
        return
      }
      driver = version
      await attach(cards)
      if (isClosed()) {
        await nvml.shutdown()
        return
      }
      succeed(cards)
    } catch (error) {
      if (!isClosed()) fail(error)
    }
  }

  async function attach(cards: readonly Card[]): Promise<void> {
    const { selected, problems, isMistaken } = selectGpus(cards.map(identityOf), {
      gpuIds,
      environment,
      vendor: 'nvidia',
    })
    listed = { installed: cards.length, counted: isMistaken ? undefined : selected.length }
    for (const problem of problems) tell(problem)
    unidentified = 0
    for (const { card } of selected) {
      if (card.facts === undefined) {
        if (isWorthAsking(card.error)) unidentified += 1
        // Where one was lost meanwhile, it says so itself.
        if (!isLostOne()) tell(unidentifiedProblem(card.index, card.error))
        continue
      }
      take(card.index, card.device, card.facts)
      // oxlint-disable-next-line no-await-in-loop -- the first reading of a card may take milliseconds: no two of them in one turn of the event loop
      await pause()
      if (isClosed()) return
    }
    const there = new Set(cards.map(({ facts }) => facts?.uuid))
    for (const [uuid, meter] of meters) if (!there.has(uuid)) meter.detach('it is no longer there')
  }

  function take(index: number, device: NvmlDevice, facts: NvmlFacts): void {
    const known = meters.get(facts.uuid)
    const meter = known ?? new GpuMeter(facts, clock.now().wallMs)
    if (known === undefined) list = [...meters.set(facts.uuid, meter).values()]
    meter.attach(index, device, facts, clock.now().monotonic)
    if (known === undefined && meter.unmeasured !== undefined) tell(unmeasuredProblem(meter))
  }

  const isLostOne = (): boolean => list.some(({ isLost }) => isLost)

  function succeed(cards: readonly Card[]): void {
    state = 'open'
    refusal = cards.length === 0 ? { probe: 'nvml', reason: noCardsReason, isFinal: false } : undefined
    cardCount = cards.length
    countedAt = undefined
    if (!isLostOne() && unidentified === 0) retrySeconds = firstRetrySeconds
    sampler.wake()
  }

  function fail(error: unknown): void {
    state = 'failed'
    const isFinal = error instanceof ProbeUnavailable
    const isOption = isFinal && libraryPath !== undefined
    const remedy =
      (isFinal || error instanceof NvmlError ? error.remedy : undefined) ??
      (isOption ? otherLibrary : undefined)
    const reason = `${isOption ? 'nvml_library_path: ' : ''}${messageOf(error)}`
    refusal = { probe: 'nvml', reason, ...(remedy === undefined ? {} : { remedy }), isFinal }
    for (const meter of list) meter.detach(reason)
    const subject = isOption ? 'nvml_library_path' : 'nvml'
    tell({ code: 'ERR_PROBE_UNAVAILABLE', subject, message: sentenceOf(refusal) })
  }

  function openAgain(): void {
    state = 'opening'
    retryAt = Infinity
    for (const meter of list) meter.suspend()
    sampler.stop()
    void open()
  }

  /** Whether cards have come or gone since they were listed. */
  function isCountChanged(at: Seconds): boolean {
    countedAt ??= at
    if (at - countedAt < recountSeconds || nvml === undefined) return false
    countedAt = at
    try {
      return nvml.deviceCount() !== cardCount
    } catch {
      // Then the cards do not answer either, and say so.
      return false
    }
  }

  /** Opens the library anew where something is missing, and not too often. */
  function recover(at: Seconds): void {
    if ((state !== 'open' && state !== 'failed') || refusal?.isFinal === true) return
    const isMissing = state === 'failed' || unidentified > 0 || isLostOne()
    if (isMissing && retryAt === Infinity) {
      retryAt = at + retrySeconds
      retrySeconds = Math.min(lastRetrySeconds, retrySeconds * 2)
    }
    if (at >= retryAt || (state === 'open' && isCountChanged(at))) openAgain()
  }

  const opened = open()
  return {
    name: 'nvml',
    opened,
    refusal: () => refusal,
    listed: () => listed,
    read({ at, resumed }): ProbeResult {
      if (state === 'closed') return { readings: [], problems: [] }
      const problems = pending
      pending = []
      const readings: Reading[] = []
      for (const meter of list) {
        const problem = meter.update(at, resumed)
        if (problem !== undefined) {
          problems.push(problem)
          // It may have gone on to a way that has to be looked at more often.
          sampler.wake()
        }
        if (meter.isFresh) readings.push(meter.reading())
      }
      recover(at)
      return { readings, problems }
    },
    devices: () => list.map((meter) => describe(meter, driver)),
    utilisation: () => meanUse(list),
    processUse: () => list.flatMap((meter) => meter.processUse() ?? []),
    close() {
      const isOpening = state === 'opening'
      const wasClosed = state === 'closed'
      state = 'closed'
      sampler.stop()
      // What is opening gives the library back as soon as it can.
      if (!isOpening && !wasClosed) nvml?.shutdown().catch(ignore)
    },
  }
}

const identityOf = (card: Card): GpuIdentity & { readonly card: Card } => ({
  index: card.index,
  uuid: card.facts?.uuid ?? '',
  name: card.facts?.name ?? '',
  migUuids: card.facts?.migUuids,
  card,
})

/** A card that this user may not ask will not be his later. */
const isWorthAsking = (error: unknown): boolean =>
  !(error instanceof NvmlError && error.code === returnCode.noPermission)

async function loadByKoffi(path: string): Promise<Nvml> {
  const { loadNvml } = await import('./koffi-binding.ts')
  return loadNvml(path)
}

/** Lets the host program go on; where nothing else keeps it alive, it ends. */
const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 0).unref()
  })

function ignore(): void {
  // A library that cannot be given back is gone already, or was never started.
}

function unidentifiedProblem(index: number, error: unknown): Problem {
  const remedy = error instanceof NvmlError && error.remedy !== undefined ? `; ${error.remedy}` : ''
  const message = `graphics processor ${index}: ${messageOf(error)}${remedy}; its energy is missing from the total`
  return { code: 'ERR_UNMEASURED', subject: `gpu:${index}`, message }
}

function unmeasuredProblem({ domain, index, facts, unmeasured }: GpuMeter): Problem {
  const message = `graphics processor ${index} (${facts.name}): its energy is missing from the total: ${unmeasured}`
  return { code: 'ERR_UNMEASURED', subject: domain, message }
}

function describe(meter: GpuMeter, driver: string | undefined): GpuDevice {
  const { domain, index, facts, use, method, unmeasured } = meter
  return {
    domain,
    index,
    uuid: facts.uuid,
    name: facts.name,
    pciBusId: facts.pciBusId,
    driver,
    powerLimitWatts: facts.powerLimit,
    memoryTotalBytes: facts.memoryTotalBytes,
    memoryUsedBytes: meter.memoryUsedBytes(),
    utilisation: use,
    method,
    unmeasured,
  }
}
