import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import type { Probe } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import { seconds, type Ratio } from '../core/units.ts'
import { idsOfNone } from './gpu-ids.ts'
import { lateProbe } from './late-probe.ts'
import type { GpuCard } from './maker-cards.ts'
import type { ComponentDetection } from '../probes/detector.ts'
import { findGpus } from '../probes/linux/gpu-presence.ts'

/** The graphics cards of this machine, whoever tells them: cards of several makers count side by side. */
export interface Gpus {
  readonly probes: readonly Probe[]
  /** What is known to be wrong at once; what turns out later is told by the probes. */
  readonly problems: readonly Problem[]
  /** Settles when all that opens in the background has opened; never rejects, and keeps no process alive. */
  readonly opened: Promise<void>
  /** Those that count; empty until what reads them is open. */
  cards(): readonly GpuCard[]
  /** How many count; `undefined` where nobody can tell whether there are any. */
  count(): number | undefined
  /** How many are in the machine, chosen or not. */
  installed(): number
  /** `2 x NVIDIA H100 80GB HBM3`, as CodeCarbon writes it. */
  model(): string | undefined
  /** For `detect` and records; `undefined` where there are none. */
  detection(): ComponentDetection | undefined
  /** How busy they were when they were last read, in the mean. */
  utilisation(): Ratio | undefined
  /** Shares of the work of each card, by its domain and by the numbers of processes, since this was last asked. */
  processUse(): ReadonlyMap<string, ReadonlyMap<number, Ratio>>
}

/** Cards that have no counter are looked at this often; how they are read is known only when they are open. */
const lookInterval = seconds(1)

/**
 * The graphics cards here. What reads them is loaded and opened while the program goes on, and only on machines that may have some: most
 * have none, and the libraries of their makers take time.
 */
export function openGpus(options: Options, clock: Clock): Gpus {
  const present = process.platform === 'linux' ? findGpus(options.sysfsPath) : undefined
  const mayBeThere = present === undefined ? process.platform !== 'darwin' : present.length > 0
  if (!mayBeThere && options.nvmlLibraryPath === undefined) {
    return { ...noGpus(present === undefined ? undefined : 0), problems: idsOfNone(options) }
  }

  let gpus: Gpus | undefined
  const probe = lateProbe('gpu', lookInterval, async () => {
    const loaded = await import('./open-gpus.ts')
    gpus = loaded.openGpus(options, clock, present)
    return gpus
  })
  return {
    probes: [probe],
    problems: [],
    opened: probe.opened.then(() => gpus?.opened),
    cards: () => gpus?.cards() ?? [],
    count: () => gpus?.count(),
    installed: () => gpus?.installed() ?? present?.length ?? 0,
    model: () => gpus?.model(),
    detection: () => (gpus === undefined ? opening(options, present) : gpus.detection()),
    utilisation: () => gpus?.utilisation(),
    processUse: () => gpus?.processUse() ?? new Map(),
  }
}

/** The graphics of a board whose power rails tell of them, by themselves or as part of another figure. */
export const gpusOfBoard = (detection: ComponentDetection): Gpus => ({
  ...noGpus(1),
  detection: () => detection,
})

const noGpus = (count: number | undefined): Gpus => ({
  probes: [],
  problems: [],
  opened: Promise.resolve(),
  cards: () => [],
  count: () => count,
  installed: () => count ?? 0,
  model: () => undefined,
  detection: () => undefined,
  utilisation: () => undefined,
  processUse: () => new Map(),
})

/** Nothing is known yet of cards that neither the bus nor the options tell of. */
function opening(
  { nvmlLibraryPath, gpuIds }: Options,
  present: readonly string[] | undefined,
): ComponentDetection | undefined {
  const isOnBus = present?.some((vendor) => vendor !== 'unknown') === true
  if (!isOnBus && nvmlLibraryPath === undefined && gpuIds === undefined) return undefined
  const basis = (): string => 'being opened'
  return { component: 'gpu', chosen: { probe: 'gpu', method: 'integrated', basis }, refused: [] }
}
