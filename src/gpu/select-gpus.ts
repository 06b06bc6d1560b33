import type { Problem } from '../core/problem.ts'

/** A graphics processor, as people name it. */
export interface GpuIdentity {
  /** Position on the PCI bus among the cards of its maker, from 0. */
  readonly index: number
  /** `GPU-8a56a4bc-1b2c-…`; empty, as the name, where the card does not say who it is. */
  readonly uuid: string
  readonly name: string
  /** UUIDs of the slices that it is divided into. */
  readonly migUuids?: readonly string[] | undefined
}

/** What says which graphics processors count. */
export interface GpuChoice {
  /** Indices, UUIDs, beginnings of UUIDs. Where it is given, the environment has no say; an empty list chooses none. */
  readonly gpuIds?: readonly (string | number)[] | undefined
  /** What the program that is measured sees: `CUDA_VISIBLE_DEVICES` or `ROCR_VISIBLE_DEVICES`, by vendor; Intel's runtime has none of these. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly vendor: 'nvidia' | 'amd' | 'intel'
}

/** The graphics processors that count, and what was wrong with the choice. */
export interface GpuSelection<G extends GpuIdentity> {
  /** In the order of their indices. */
  readonly selected: readonly G[]
  /** The option or variable that chose them; `undefined` where nothing did and all count. */
  readonly chosenBy: string | undefined
  /** True where cards were named and none of them is here: nobody knows which were meant. */
  readonly isMistaken: boolean
  readonly problems: readonly Problem[]
}

/**
 * Which graphics processors count: those of `gpu_ids`; else those that the runtime of their maker shows to programs; else all.
 *
 * An id is an index, a whole UUID, or the beginning of one. A slice (`MIG-…`) stands for the card that it is part of, whose energy cannot be
 * told apart. An id that fits no card, or several, chooses none of them and is a problem. A variable is read as its runtime reads it: an
 * empty one and -1 show no card, and what stands behind an entry that is not valid is ignored.
 */
export function selectGpus<G extends GpuIdentity>(gpus: readonly G[], choice: GpuChoice): GpuSelection<G> {
  if (choice.gpuIds !== undefined) return byOption(gpus, choice.gpuIds.map(String))
  const variable = variables[choice.vendor]
  const value = variable === undefined ? undefined : choice.environment[variable]
  if (variable === undefined || value === undefined) {
    return { selected: gpus, chosenBy: undefined, isMistaken: false, problems: [] }
  }
  const selection = byVariable(gpus, variable, value)
  const doubt = variable === 'CUDA_VISIBLE_DEVICES' ? orderDoubt(gpus, value, choice.environment) : []
  return { ...selection, problems: [...selection.problems, ...doubt] }
}

/** Whether a choice is that of no card, whatever cards there are. */
export function choosesNone({ gpuIds, environment, vendor }: GpuChoice): boolean {
  if (gpuIds !== undefined) return gpuIds.length === 0
  const variable = variables[vendor]
  const [first] = (variable === undefined ? undefined : environment[variable])?.split(',') ?? []
  return first !== undefined && meansNone.has(first.trim())
}

/** How many cards an id fits: anything but one chooses none. */
export const countFits = (gpus: readonly GpuIdentity[], id: string | number): number =>
  find(gpus, String(id)).length

const variables: Readonly<Record<GpuChoice['vendor'], string | undefined>> = {
  nvidia: 'CUDA_VISIBLE_DEVICES',
  amd: 'ROCR_VISIBLE_DEVICES',
  intel: undefined,
}

function byOption<G extends GpuIdentity>(gpus: readonly G[], ids: readonly string[]): GpuSelection<G> {
  const chosen = new Set<G>()
  const problems: Problem[] = []
  for (const id of ids) {
    const matches = find(gpus, id)
    const [only] = matches
    if (only !== undefined && matches.length === 1) chosen.add(only)
    else problems.push(refusal('gpu_ids', id, matches, gpus))
  }
  return selectionOf(gpus, chosen, 'gpu_ids', joined(problems))
}

function byVariable<G extends GpuIdentity>(
  gpus: readonly G[],
  variable: string,
  value: string,
): GpuSelection<G> {
  const chosen = new Set<G>()
  const problems: Problem[] = []
  for (const id of value.split(',').map((entry) => entry.trim())) {
    const matches = find(gpus, id)
    const [only] = matches
    if (only === undefined || matches.length > 1) {
      if (!meansNone.has(id)) problems.push(refusal(variable, id, matches, gpus))
      break
    }
    chosen.add(only)
  }
  return selectionOf(gpus, chosen, variable, problems)
}

const selectionOf = <G extends GpuIdentity>(
  gpus: readonly G[],
  chosen: ReadonlySet<G>,
  chosenBy: string,
  problems: readonly Problem[],
): GpuSelection<G> => ({
  selected: gpus.filter((gpu) => chosen.has(gpu)),
  chosenBy,
  isMistaken: gpus.length > 0 && chosen.size === 0 && problems.length > 0,
  problems,
})

/** Ways to show no card: nothing, -1 (CUDA C++ Programming Guide, environment variables), and what Slurm writes for a job without cards. */
const meansNone: ReadonlySet<string> = new Set(['', '-1', 'NoDevFiles'])

function find<G extends GpuIdentity>(gpus: readonly G[], id: string): readonly G[] {
  if (/^\d+$/.test(id)) return gpus.filter(({ index }) => index === Number(id))
  const wanted = id.toLowerCase()
  if (wanted === '' || wanted.startsWith('-')) return []
  const whole = gpus.filter(({ uuid }) => uuid.toLowerCase() === wanted)
  if (whole.length > 0) return whole
  return wanted.startsWith('mig-')
    ? findParents(gpus, wanted)
    : gpus.filter((gpu) => begins(gpu.uuid, wanted))
}

/** `MIG-<uuid of the slice>`, and as drivers before 470 wrote it: `MIG-GPU-<uuid of the card>/<instance>/<compute instance>`. */
function findParents<G extends GpuIdentity>(gpus: readonly G[], wanted: string): readonly G[] {
  const [, parent] = /^mig-(gpu-[^/]*)/.exec(wanted) ?? []
  if (parent !== undefined) return gpus.filter((gpu) => begins(gpu.uuid, parent))
  return gpus.filter(({ migUuids = [] }) => migUuids.some((uuid) => uuid.toLowerCase().startsWith(wanted)))
}

/** People leave out the `GPU-`. */
const begins = (uuid: string, wanted: string): boolean =>
  uuid.toLowerCase().startsWith(wanted) || uuid.toLowerCase().startsWith(`gpu-${wanted}`)

function refusal(
  subject: string,
  id: string,
  matches: readonly GpuIdentity[],
  gpus: readonly GpuIdentity[],
): Problem {
  const there = matches.length > 1 ? matches : gpus
  const known = there.map(({ index, uuid }) => (uuid === '' ? `${index}` : `${index} (${uuid})`)).join(', ')
  const fault = matches.length > 1 ? 'fits several graphics processors' : 'fits no graphics processor'
  const rest = subject === 'gpu_ids' ? '' : '; it and what stands behind it are ignored, as its runtime does'
  const message = `${subject}: ${JSON.stringify(id)} ${fault}${rest}; there ${gpus.length === 0 ? 'is none' : `are: ${known}`}`
  return { code: 'ERR_OPTION_INVALID', subject, message }
}

/** One line for a user who gave several wrong ids. */
function joined(problems: readonly Problem[]): readonly Problem[] {
  const [first, ...others] = problems
  if (first === undefined || others.length === 0) return problems
  return [{ ...first, message: problems.map(({ message }) => message).join('; ') }]
}

/**
 * CUDA numbers the fastest card first unless told otherwise, NVML and this package by PCI bus. Among cards of one model both are the same
 * (CUDA C++ Programming Guide, `CUDA_DEVICE_ORDER`).
 */
function orderDoubt(
  gpus: readonly GpuIdentity[],
  value: string,
  { CUDA_DEVICE_ORDER: order }: GpuChoice['environment'],
): readonly Problem[] {
  const hasIndex = value.split(',').some((id) => /^\d+$/.test(id.trim()))
  const models = new Set(gpus.flatMap(({ name }) => (name === '' ? [] : name)))
  if (!hasIndex || models.size < 2 || order?.trim().toUpperCase() === 'PCI_BUS_ID') return []
  const message =
    'CUDA_VISIBLE_DEVICES: these cards differ, and CUDA numbers the fastest one first, while here they are numbered by PCI bus: set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the cards by UUID'
  return [{ code: 'ERR_OPTION_INVALID', subject: 'CUDA_DEVICE_ORDER', message }]
}
