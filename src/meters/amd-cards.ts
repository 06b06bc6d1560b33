import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import type { Problem } from '../core/problem.ts'
import { ratio, type Ratio } from '../core/units.ts'
import { selectGpus, type GpuIdentity } from '../gpu/select-gpus.ts'
import { createAmdGpuProbe, methodOf, type AmdGpuProbe } from '../probes/amd-gpu.ts'
import { refusalOf, type Refusal } from '../probes/detector.ts'
import { findAmdGpus, type AmdGpu } from '../probes/linux/amd-gpus.ts'
import type { PolledProbe } from '../probes/polled-probe.ts'
import { createRocmSmiProbe } from '../probes/rocm-smi.ts'
import { onBus, type Bus, type GpuCard, type MakerCards } from './maker-cards.ts'
import { unmeasured } from './unmeasured.ts'

/** A graphics processor of AMD as people name it. */
export interface NamedAmdGpu extends GpuIdentity {
  readonly gpu: AmdGpu
}

/** What the driver shows of AMD's graphics processors. */
export interface AmdHere {
  /** Those that are no part of a processor package, a board's second die included, as ROCm numbers them. */
  readonly gpus: readonly NamedAmdGpu[]
  /** Cards, whether the driver shows them or not: graphics of packages and second dies are none. */
  readonly boards: number | undefined
  /** Whether the driver shows them at all. */
  readonly isListed: boolean
}

/** Looks at what the bus and the driver show. */
export function findAmd(sysfsPath: string, bus: Bus): AmdHere {
  const there = onBus(bus, 'AMD')
  const known = there === 0 ? [] : findAmdGpus(sysfsPath)
  const gpus = known
    .filter(({ isPartOfPackage }) => !isPartOfPackage)
    .map((gpu, index) => ({ index, uuid: uuidOf(gpu), name: gpu.name, gpu }))
  const noBoards = known.filter(
    ({ isPartOfPackage, meteredBy }) => isPartOfPackage || meteredBy !== undefined,
  )
  return {
    gpus,
    boards: there === undefined ? undefined : Math.max(0, there - noBoards.length),
    isListed: known.length > 0,
  }
}

/** `ROCR_VISIBLE_DEVICES` writes `GPU-` before what the driver calls `unique_id`. */
const uuidOf = ({ uniqueId }: AmdGpu): string => (uniqueId === undefined ? '' : `GPU-${uniqueId}`)

/** AMD's cards: by the monitors of their driver, else by `amd-smi` or `rocm-smi`. */
export function openAmdCards(
  { sysfsPath }: Options,
  gpuIds: Options['gpuIds'],
  clock: Clock,
  here: AmdHere,
): MakerCards {
  const { gpus, boards, isListed } = here
  const selection = selectGpus(isListed ? gpus : numbered(boards ?? 0), {
    gpuIds,
    environment: process.env,
    vendor: 'amd',
  })
  const problems: Problem[] = [...selection.problems]
  const refused: Refusal[] = []
  const indices = new Set(selection.selected.map(({ index }) => index))
  // The meter of a board with two dies is that of the first one, whichever of them is meant.
  const chosen = new Map(
    gpus
      .filter(({ index }) => indices.has(index))
      .map(({ gpu }) => boardOf(gpu, gpus))
      .map((board) => [board.gpu.pciId, board]),
  )
  const isNone = selection.selected.length === 0
  const monitors = isNone ? undefined : openMonitors()
  const smi = isNone || monitors !== undefined ? undefined : openSmi()

  function openMonitors(): AmdGpuProbe | undefined {
    try {
      return createAmdGpuProbe({ sysfsPath, select: ({ pciId }) => chosen.has(pciId) })
    } catch (error) {
      refused.push(refusalOf('amdgpu', error))
      return undefined
    }
  }

  function openSmi(): PolledProbe | undefined {
    try {
      return createRocmSmiProbe({ clock, select: (index) => indices.has(index) })
    } catch (error) {
      const [first] = refused
      refused.push(refusalOf('rocm-smi', error))
      if (first !== undefined) problems.push(unmeasured('AMD', first))
      return undefined
    }
  }

  function cards(): GpuCard[] {
    if (monitors === undefined && smi === undefined) return []
    if (!isListed) {
      return [...(smi?.powers() ?? [])].map(([domain], index) => ({
        index,
        name: 'AMD GPU',
        id: domain,
        method: 'integrated',
        how: 'integrated by rocm-smi',
      }))
    }
    return [...chosen.values()].map(({ index, name, gpu }) => {
      const method = monitors === undefined ? 'integrated' : methodOf(gpu)
      const how = `${method} by ${monitors?.name ?? 'rocm-smi'}`
      return { index, name, id: gpu.uniqueId ?? gpu.pciId, method, how }
    })
  }

  return {
    probe: monitors ?? smi,
    opened: smi?.answered ?? Promise.resolve(),
    problems,
    cards,
    count() {
      if (selection.isMistaken) return undefined
      if (isNone) return 0
      if (isListed) return chosen.size
      return boards === undefined ? undefined : indices.size
    },
    installed: () => boards ?? 0,
    refused: () => [...refused, ...[smi?.refusal()].filter((refusal) => refusal !== undefined)],
    utilisation: () => (monitors === undefined ? undefined : meanUseOf(monitors)),
    processUse: () => new Map(),
  }
}

/** Cards that the driver does not show can be named by the number that ROCm's programs give them. */
const numbered = (count: number): readonly GpuIdentity[] =>
  Array.from({ length: count }, (_, index) => ({ index, uuid: '', name: '' }))

function boardOf({ pciId, meteredBy = pciId }: AmdGpu, gpus: readonly NamedAmdGpu[]): NamedAmdGpu {
  const board = gpus.find(({ gpu }) => gpu.pciId === meteredBy) ?? gpus.find(({ gpu }) => gpu.pciId === pciId)
  if (board === undefined) throw new Error(`${pciId} is none of the cards that were found`)
  return board
}

function meanUseOf(probe: AmdGpuProbe): Ratio | undefined {
  const uses = [...probe.vitals().values()].flatMap(({ utilisation }) => utilisation ?? [])
  return uses.length === 0 ? undefined : ratio(uses.reduce((sum, use) => sum + use, 0) / uses.length)
}
