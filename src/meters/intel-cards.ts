import type { Options } from '../config/option-table.ts'
import type { Problem } from '../core/problem.ts'
import { selectGpus } from '../gpu/select-gpus.ts'
import { refusalOf, type Refusal } from '../probes/detector.ts'
import { createIntelGpuProbe, type IntelGpuProbe } from '../probes/intel-gpu.ts'
import { findIntelGpus } from '../probes/linux/intel-gpus.ts'
import { onBus, type Bus, type MakerCards } from './maker-cards.ts'
import { unmeasured } from './unmeasured.ts'

/** Intel's cards, by the energy counters of their drivers. */
export function openIntelCards({ sysfsPath }: Options, gpuIds: Options['gpuIds'], bus: Bus): MakerCards {
  const there = onBus(bus, 'Intel') ?? 0
  const found = findIntelGpus(sysfsPath).filter(({ isPartOfPackage }) => !isPartOfPackage)
  const known = found.map(({ name, pciId }, index) => ({ index, uuid: '', name, pciId }))
  // Cards without a counter can be named by their number as well.
  const unknown = Array.from({ length: Math.max(0, there - known.length) }, (_, index) => ({
    index: known.length + index,
    uuid: '',
    name: '',
    pciId: '',
  }))
  const { selected, isMistaken, problems } = selectGpus([...known, ...unknown], {
    gpuIds,
    environment: {},
    vendor: 'intel',
  })
  const told: Problem[] = [...problems]
  const refused: Refusal[] = []
  const chosen = new Map(selected.map(({ pciId, index }) => [pciId, index]))
  let probe: IntelGpuProbe | undefined
  if (selected.length > 0) {
    try {
      probe = createIntelGpuProbe({ sysfsPath, select: ({ pciId }) => chosen.has(pciId) })
    } catch (error) {
      const refusal = refusalOf('intel-gpu', error)
      refused.push(refusal)
      told.push(unmeasured('Intel', refusal))
    }
  }
  return {
    probe,
    opened: Promise.resolve(),
    problems: told,
    cards: () =>
      (probe?.devices ?? []).map(({ name, pciId }) => ({
        index: chosen.get(pciId) ?? 0,
        name,
        id: pciId,
        method: 'measured',
        how: 'measured by intel-gpu',
      })),
    count: () => (isMistaken ? undefined : selected.length),
    installed: () => Math.max(there, known.length),
    refused: () => refused,
    utilisation: () => undefined,
    processUse: () => new Map(),
  }
}
