import { systemClock, type Clock } from '../../core/clock.ts'
import { ProbeUnavailable } from '../../core/errors.ts'
import type { Probe, ProbeResult } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Reading } from '../../core/reading.ts'
import type { Ratio } from '../../core/units.ts'
import { selectGpus } from '../../gpu/select-gpus.ts'
import { meanUse, type GpuDevice, type ListedGpus } from '../gpu-device.ts'
import { SmiCard } from './smi-card.ts'
import type { SmiRow } from './smi-row.ts'
import { createSmiStream, findSmi, type SmiStream, type SmiStreamOptions } from './smi-stream.ts'

/** Options of {@link createNvidiaSmiProbe}. */
export interface NvidiaSmiOptions {
  /** Cards to count, by index, UUID or beginning of one. @default those that CUDA shows, else all */
  readonly gpuIds?: readonly (string | number)[] | undefined
  /** @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The clock that the meter reads by. @default systemClock */
  readonly clock?: Clock
  /** The program. @default where PATH finds it */
  readonly program?: string | undefined
  /** How the program is run; for tests. @default as a child process */
  readonly run?: (options: SmiStreamOptions) => SmiStream
}

/** NVIDIA's cards as nvidia-smi shows them. */
export interface NvidiaSmiProbe extends Probe {
  /** `undefined` until nvidia-smi has shown all of them once. */
  listed(): ListedGpus | undefined
  /** The cards that count; none until nvidia-smi has shown all of them once. */
  devices(): readonly GpuDevice[]
  /** How busy they were when they were last shown, in the mean; `undefined` where none tells. */
  utilisation(): Ratio | undefined
}

/**
 * Energy of NVIDIA's graphics cards out of the power that `nvidia-smi` shows twice a second: for where the program is there and its library
 * cannot be called. One process is started once and read as it writes; nothing is started or waited for in a reading.
 *
 * On Ampere and newer the power is the mean of the last second, so short peaks are smoothed, not lost. While the host program blocks its
 * event loop, rows wait: the power in between is taken for a straight line.
 *
 * @throws ProbeUnavailable where there is no such program
 */
export function createNvidiaSmiProbe(options: NvidiaSmiOptions = {}): NvidiaSmiProbe {
  const { gpuIds, environment = process.env, clock = systemClock, run = createSmiStream } = options
  const program = options.program ?? findSmi(environment)
  if (program === undefined) {
    throw new ProbeUnavailable(
      'there is no program nvidia-smi',
      'install the NVIDIA driver, or put it in PATH',
    )
  }

  const cards = new Map<string, SmiCard>()
  /** The cards of the first round: which of them count can be told when all are known. */
  let round: Map<string, SmiRow> | undefined = new Map()
  let listed: ListedGpus | undefined
  let pending: Problem[] = []
  let closed = false

  function choose(rows: readonly SmiRow[]): void {
    const { selected, problems, isMistaken } = selectGpus(rows, { gpuIds, environment, vendor: 'nvidia' })
    listed = { installed: rows.length, counted: isMistaken ? undefined : selected.length }
    pending.push(...problems)
    for (const row of selected) {
      const card = new SmiCard(row, clock.now().monotonic)
      cards.set(row.uuid, card)
      if (card.unmeasured === undefined) continue
      const message = `graphics processor ${row.index} (${row.name}): its energy is missing from the total: ${card.unmeasured}`
      pending.push({ code: 'ERR_UNMEASURED', subject: card.domain, message })
    }
  }

  function onRow(row: SmiRow): void {
    if (round === undefined) {
      cards.get(row.uuid)?.take(row, clock.now().monotonic)
      return
    }
    const isWhole = round.has(row.uuid)
    round.set(row.uuid, row)
    if (!isWhole) return
    choose([...round.values()].toSorted((a, b) => a.index - b.index))
    round = undefined
  }

  const stream = run({
    program,
    clock,
    onRow,
    onEnd(reason) {
      for (const card of cards.values()) card.cut(reason)
      if (cards.size > 0) return
      round = new Map()
      if (!pending.some(({ subject }) => subject === 'nvidia-smi'))
        pending.push({ code: 'ERR_PROBE_UNAVAILABLE', subject: 'nvidia-smi', message: reason })
    },
  })
  return {
    name: 'nvidia-smi',
    read({ at }): ProbeResult {
      if (closed) return { readings: [], problems: [] }
      const readings: Reading[] = []
      const problems = pending
      pending = []
      for (const card of cards.values()) {
        const told = card.read(at)
        if (told === undefined) continue
        if ('code' in told) problems.push(told)
        else readings.push(told)
      }
      return { readings, problems }
    },
    listed: () => listed,
    devices: () => [...cards.values()].map((card) => card.device()),
    utilisation: () => meanUse([...cards.values()]),
    close() {
      closed = true
      stream.close()
    },
  }
}
