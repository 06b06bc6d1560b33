import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import { ratio, type Ratio } from '../core/units.ts'
import type { ComponentDetection } from '../probes/detector.ts'
import { findAmd, openAmdCards } from './amd-cards.ts'
import { idsByMaker, idsOfNone } from './gpu-ids.ts'
import type { Gpus } from './gpus.ts'
import { openIntelCards } from './intel-cards.ts'
import { onBus, type Bus, type GpuCard, type MakerCards } from './maker-cards.ts'
import { openNvidiaCards } from './nvidia-cards.ts'

/** Opens what tells the graphics cards of the makers that have any here. NVIDIA's library opens in the background. */
export function openGpus(options: Options, clock: Clock, present: readonly string[] | undefined): Gpus {
  const { sysfsPath, gpuIds, nvmlLibraryPath } = options
  const bus: Bus = { present, isWhole: present !== undefined && !present.includes('unknown') }
  const amd = findAmd(sysfsPath, bus)
  // Graphics of processors are no cards.
  const hasAmdCards = present?.includes('AMD') === true && (amd.gpus.length > 0 || !amd.isListed)
  const hasIntel = present?.includes('Intel') === true
  // Where the bus can be listed it says whether there are some of NVIDIA's; elsewhere their library is the only one to ask.
  const hasNvidia = onBus(bus, 'NVIDIA') !== 0 || (nvmlLibraryPath !== undefined && !hasAmdCards && !hasIntel)
  const ids = idsByMaker(gpuIds, {
    nvidia: hasNvidia,
    amd: hasAmdCards ? amd.gpus : undefined,
    intel: hasIntel,
  })

  const makers: readonly MakerCards[] = [
    ...(hasNvidia || nvmlLibraryPath !== undefined ? [openNvidiaCards(options, ids.nvidia, clock, bus)] : []),
    ...(hasAmdCards ? [openAmdCards(options, ids.amd, clock, amd)] : []),
    ...(hasIntel ? [openIntelCards(options, ids.intel, bus)] : []),
  ]
  const probes = makers.flatMap(({ probe }) => probe ?? [])
  const cards = (): readonly GpuCard[] => makers.flatMap((maker) => maker.cards())
  let isOpened = false
  const opened = Promise.all(makers.map((maker) => maker.opened)).then(() => void (isOpened = true))

  /** Of all makers together: unread is not none, so that one that cannot tell makes the sum unknown. */
  function count(): number | undefined {
    const counts = makers.map((maker) => maker.count())
    return counts.reduce((sum, next) => (sum === undefined || next === undefined ? undefined : sum + next), 0)
  }

  function detection(): ComponentDetection | undefined {
    const refused = makers.flatMap((maker) => maker.refused())
    const known = cards()
    if (known.length === 0 && isOpened) {
      return count() === 0 || !isSaid() ? undefined : { component: 'gpu', refused }
    }
    if (probes.length === 0) return isSaid() ? { component: 'gpu', refused } : undefined
    const probe = probes.map(({ name }) => name).join(' and ')
    const isMeasured = known.length > 0 && known.every(({ method }) => method === 'measured')
    const basis = (): string =>
      known.length === 0
        ? 'the library of the graphics cards is being opened'
        : known.map(({ name, how }) => `${name}, ${how}`).join('; ')
    return {
      component: 'gpu',
      chosen: { probe, method: isMeasured ? 'measured' : 'integrated', basis },
      refused,
    }
  }

  /** Whether anybody says that there are cards: the bus, the options, or their library. */
  const isSaid = (): boolean =>
    (present ?? []).some((vendor) => vendor !== 'unknown') ||
    nvmlLibraryPath !== undefined ||
    gpuIds !== undefined ||
    makers.some((maker) => maker.installed() > 0)

  return {
    probes,
    opened,
    problems: [
      ...makers.flatMap(({ problems }) => problems),
      ...(hasNvidia || hasAmdCards || hasIntel ? [] : idsOfNone(options)),
    ],
    cards,
    count,
    installed: () => makers.reduce((sum, maker) => sum + maker.installed(), 0),
    model: () => modelOf(cards()),
    detection,
    utilisation: () => meanOf(makers.map((maker) => maker.utilisation())),
    processUse: () => new Map(makers.flatMap((maker) => [...maker.processUse()])),
  }
}

/** The same names counted together. */
function modelOf(cards: readonly GpuCard[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { name } of cards) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts.size === 0 ? undefined : [...counts].map(([name, count]) => `${count} x ${name}`).join(', ')
}

function meanOf(values: readonly (number | undefined)[]): Ratio | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : ratio(known.reduce((sum, value) => sum + value, 0) / known.length)
}
