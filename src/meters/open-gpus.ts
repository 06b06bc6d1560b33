import { readlinkSync } from 'node:fs'
import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import { ratio, type Ratio } from '../core/units.ts'
import { selectGpus } from '../gpu/select-gpus.ts'
import type { GpuCard, Gpus } from './gpus.ts'
import { createAmdGpuProbe, type AmdGpuProbe } from '../probes/amd-gpu.ts'
import type { Refusal } from '../probes/detector.ts'
import { createIntelGpuProbe, type IntelGpuProbe } from '../probes/intel-gpu.ts'
import { findAmdGpus, type AmdGpu } from '../probes/linux/amd-gpus.ts'
import { findIntelGpus } from '../probes/linux/intel-gpus.ts'
import { createNvidiaProbe, type NvidiaProbe } from '../probes/nvidia.ts'
import { noCardsReason } from '../probes/nvml/nvml-probe.ts'
import { createRocmSmiProbe } from '../probes/rocm-smi.ts'

/** Opens what tells the graphics cards of these makers. NVIDIA's library opens in the background. */
export function openGpus(options: Options, clock: Clock, present: readonly string[] | undefined): Gpus {
  const { sysfsPath } = options
  const refused: Refusal[] = []
  const problems: Problem[] = []
  const nvidia = openNvidia(options, clock, present, refused, problems)
  const amd = openAmd(options, clock, present, refused, problems)
  const intel = openIntel(options, present, refused, problems)
  const probes = [nvidia, amd?.probe, intel].filter((probe) => probe !== undefined)

  function cards(): GpuCard[] {
    const ofNvidia = nvidia?.devices().map(({ name, uuid, method, unmeasured }) => ({
      name,
      id: uuid,
      how:
        method === undefined
          ? `unmeasured: ${unmeasured ?? 'no reason given'}`
          : `${method} by ${nvidia.name}`,
    }))
    const ofAmd = amd?.cards.map(({ name, uniqueId, pciId }) => ({
      name,
      id: uniqueId ?? pciId,
      how: `by ${amd.probe.name}`,
    }))
    const ofIntel = intel?.devices.map(({ name, pciId }) => ({
      name,
      id: pciId,
      how: 'measured by intel-gpu',
    }))
    return [...(ofNvidia ?? []), ...(ofAmd ?? []), ...(ofIntel ?? [])]
  }

  /** Cards that nobody opens: on the bus, or told of by the option that names their library. */
  const isUnread = problems.some(({ code }) => code !== 'ERR_OPTION_INVALID')
  const apus = present?.includes('AMD') === true ? countPartsOfPackages(sysfsPath) : 0
  /** On the bus; `undefined` where it does not tell, or not of all. */
  const onBus =
    present === undefined || present.includes('unknown') ? undefined : Math.max(0, present.length - apus)

  /** Zero only where somebody who can tell says that there is none, or that none is chosen; unread is not none. */
  function count(): number | undefined {
    const known = cards().length
    if (known > 0) return known
    const isNone = isOpened && (nvidia?.refusals() ?? []).every(({ reason }) => reason === noCardsReason)
    const isAllRead = refused.length === 0 && isNone && (probes.length > 0 || isChosen)
    if (isAllRead) return onBus !== undefined && onBus > 0 && !isChosen ? onBus : 0
    // Who names NVIDIA's library has cards, whatever the bus shows of them: in containers and virtual machines it may show none.
    return onBus === 0 && options.nvmlLibraryPath !== undefined ? undefined : onBus
  }
  const isChosen =
    options.gpuIds !== undefined ||
    [process.env['CUDA_VISIBLE_DEVICES'], process.env['ROCR_VISIBLE_DEVICES']].some(
      (shown) => shown !== undefined,
    )

  const knowsPids = seesPidsOfHost(options.procfsPath)
  let isOpened = nvidia === undefined
  const opened = nvidia === undefined ? Promise.resolve() : nvidia.opened.then(() => void (isOpened = true))

  return {
    probes,
    opened,
    problems,
    cards,
    count,
    installed: () => Math.max(onBus ?? 0, cards().length),
    model: () => modelOf(cards()),
    detection() {
      const all = [...refused, ...(nvidia?.refusals() ?? [])]
      if (probes.length === 0) return isUnread ? { component: 'gpu', refused: all } : undefined
      if (isOpened && cards().length === 0 && count() === undefined) return { component: 'gpu', refused: all }
      const probe = probes.map(({ name }) => name).join(' and ')
      const method = nvidia?.devices()[0]?.method ?? 'integrated'
      const basis = (): string => basisOf(cards(), isOpened)
      return { component: 'gpu', chosen: { probe, method, basis }, refused: all }
    },
    utilisation: () => meanOf([nvidia?.utilisation(), amd?.utilisation()]),
    processUse: () =>
      new Map(knowsPids ? nvidia?.processUse().map(({ domain, shares }) => [domain, shares]) : []),
  }
}

const basisOf = (cards: readonly GpuCard[], isOpened: boolean): string =>
  cards.length === 0
    ? isOpened
      ? 'no graphics card counts'
      : 'the library of the graphics cards is being opened'
    : cards.map(({ name, how }) => `${name}, ${how}`).join('; ')

/** The same names counted together. */
function modelOf(cards: readonly GpuCard[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { name } of cards) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts.size === 0 ? undefined : [...counts].map(([name, count]) => `${count} x ${name}`).join(', ')
}

function openNvidia(
  options: Options,
  clock: Clock,
  present: readonly string[] | undefined,
  refused: Refusal[],
  problems: Problem[],
): NvidiaProbe | undefined {
  const isThere = present?.includes('unknown') === true ? undefined : present?.includes('NVIDIA')
  // Where the bus can be listed it says whether there is one; elsewhere the library is the only one to ask.
  if (isThere === false && options.nvmlLibraryPath === undefined) return undefined
  try {
    return createNvidiaProbe({
      ...(options.gpuIds === undefined ? {} : { gpuIds: idsForNvidia(options, present) }),
      ...(options.nvmlLibraryPath === undefined ? {} : { libraryPath: options.nvmlLibraryPath }),
      environment: process.env,
      clock,
    })
  } catch (error) {
    refuse('nvml', error, refused)
    if (isThere === true) problems.push(unmeasured('NVIDIA', error))
    else if (options.nvmlLibraryPath !== undefined) problems.push(noLibrary(error))
    return undefined
  }
}

/** `ROCR_VISIBLE_DEVICES` writes `GPU-` before what the driver calls `unique_id`. */
const identitiesOf = (
  cards: readonly AmdGpu[],
): { index: number; uuid: string; name: string; card: AmdGpu }[] =>
  cards.map((card, index) => ({
    index,
    uuid: card.uniqueId === undefined ? '' : `GPU-${card.uniqueId}`,
    name: card.name,
    card,
  }))

/** Where there are cards of both makers a number is one of NVIDIA's, and an id is that of whose card has it. */
function idsForAmd(ids: Options['gpuIds'], present: readonly string[] | undefined): Options['gpuIds'] {
  if (present?.includes('NVIDIA') !== true) return ids
  return ids?.filter((id) => !/^\d+$/.test(String(id)))
}

function idsForNvidia(
  { gpuIds = [], sysfsPath }: Options,
  present: readonly string[] | undefined,
): Options['gpuIds'] {
  if (present?.includes('AMD') !== true) return gpuIds
  const amd = identitiesOf(findAmdGpus(sysfsPath).filter(({ isPartOfPackage }) => !isPartOfPackage))
  const isOfAmd = (id: number | string): boolean =>
    !/^\d+$/.test(String(id)) &&
    selectGpus(amd, { gpuIds: [id], environment: {}, vendor: 'amd' }).selected.length > 0
  return gpuIds.filter((id) => !isOfAmd(id))
}

/** Graphics of processors, and second dies whose first one tells of both. */
const countPartsOfPackages = (sysfsPath: string): number =>
  findAmdGpus(sysfsPath).filter(
    ({ isPartOfPackage, meteredBy }) => isPartOfPackage || meteredBy !== undefined,
  ).length

/**
 * Whether processes have the numbers here that a driver knows them by: those of the host. The first process namespace of Linux has this
 * number (PROC_PID_INIT_INO in include/linux/proc_ns.h); a procfs that is mounted elsewhere is the host's.
 */
function seesPidsOfHost(procfsPath: string): boolean {
  if (process.platform !== 'linux' || procfsPath !== '/proc') return true
  try {
    return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]'
  } catch {
    // Nobody can tell, and a wrong process is worse than none.
    return false
  }
}

interface AmdCards {
  readonly probe: Probe
  readonly cards: readonly AmdGpu[]
  readonly utilisation: () => Ratio | undefined
}

function openAmd(
  options: Options,
  clock: Clock,
  present: readonly string[] | undefined,
  refused: Refusal[],
  problems: Problem[],
): AmdCards | undefined {
  if (present?.includes('AMD') !== true) return undefined
  const { sysfsPath } = options
  const known = findAmdGpus(sysfsPath)
  // Graphics of an APU are part of its package, and counted there.
  const found = known.filter(({ isPartOfPackage }) => !isPartOfPackage)
  if (known.length > 0 && found.length === 0) return undefined
  const selection = selectGpus(identitiesOf(found), {
    gpuIds: idsForAmd(options.gpuIds, present),
    environment: process.env,
    vendor: 'amd',
  })
  // Ids may be those of the other maker's cards.
  if (!present.includes('NVIDIA')) problems.push(...selection.problems)
  const chosen = new Set(selection.selected.map(({ card }) => card.pciId))
  try {
    const probe = createAmdGpuProbe({ sysfsPath, select: ({ pciId }) => chosen.has(pciId) })
    return { probe, cards: probe.devices, utilisation: () => meanUseOf(probe) }
  } catch (error) {
    if (chosen.size === 0 && selection.chosenBy !== undefined) return undefined
    refuse('amdgpu', error, refused)
    try {
      const indices = new Set(selection.selected.map(({ index }) => index))
      const isAll = found.length === 0
      const probe = createRocmSmiProbe({ clock, select: (index) => isAll || indices.has(index) })
      return { probe, cards: selection.selected.map(({ card }) => card), utilisation: () => undefined }
    } catch (second) {
      refuse('rocm-smi', second, refused)
      problems.push(unmeasured('AMD', error))
      return undefined
    }
  }
}

function openIntel(
  options: Options,
  present: readonly string[] | undefined,
  refused: Refusal[],
  problems: Problem[],
): IntelGpuProbe | undefined {
  if (present?.includes('Intel') !== true) return undefined
  const chosen = chooseIntel(options, present, problems)
  if (chosen?.size === 0) return undefined
  try {
    return createIntelGpuProbe({
      sysfsPath: options.sysfsPath,
      select: ({ pciId }) => chosen?.has(pciId) ?? true,
    })
  } catch (error) {
    refuse('intel-gpu', error, refused)
    problems.push(unmeasured('Intel', error))
    return undefined
  }
}

/** Those that `gpu_ids` names; `undefined` where it does not choose. Where there are cards of other makers, ids are those of their cards. */
function chooseIntel(
  { sysfsPath, gpuIds }: Options,
  present: readonly string[],
  problems: Problem[],
): ReadonlySet<string> | undefined {
  if (gpuIds === undefined) return undefined
  if (present.some((vendor) => vendor !== 'Intel')) return new Set()
  const cards = findIntelGpus(sysfsPath)
    .filter(({ isPartOfPackage }) => !isPartOfPackage)
    .map(({ name, pciId }, index) => ({ index, uuid: '', name, pciId }))
  // None that can be measured: then it is that which has to be said.
  if (cards.length === 0) return undefined
  const selection = selectGpus(cards, { gpuIds, environment: {}, vendor: 'nvidia' })
  problems.push(...selection.problems)
  return new Set(selection.selected.map(({ pciId }) => pciId))
}

function refuse(probe: string, error: unknown, refused: Refusal[]): void {
  if (!(error instanceof ProbeUnavailable)) throw error
  refused.push({
    probe,
    reason: error.message,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  })
}

const unmeasured = (vendor: string, error: unknown): Problem => ({
  code: 'ERR_UNMEASURED',
  subject: 'gpu',
  message: `graphics cards of ${vendor} are there and cannot be measured (${messageOf(error)}): their energy is missing from the total`,
})

const noLibrary = (error: unknown): Problem => ({
  code: 'ERR_PROBE_UNAVAILABLE',
  subject: 'nvml_library_path',
  message: `${messageOf(error)}${error instanceof ProbeUnavailable && error.remedy !== undefined ? `; ${error.remedy}` : ''}`,
})

function meanUseOf(probe: AmdGpuProbe): Ratio | undefined {
  return meanOf([...probe.vitals().values()].map(({ utilisation }) => utilisation))
}

function meanOf(values: readonly (number | undefined)[]): Ratio | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : ratio(known.reduce((sum, value) => sum + value, 0) / known.length)
}
