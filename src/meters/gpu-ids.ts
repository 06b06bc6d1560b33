import type { Options } from '../config/option-table.ts'
import type { Problem } from '../core/problem.ts'
import { countFits, selectGpus, type GpuIdentity } from '../gpu/select-gpus.ts'

/** Ids of `gpu_ids` for the cards of each maker; `undefined` where the option does not choose. */
export interface IdsByMaker {
  readonly nvidia: Options['gpuIds']
  readonly amd: Options['gpuIds']
  readonly intel: Options['gpuIds']
}

/** Which makers have cards here. */
export interface MakersHere {
  readonly nvidia: boolean
  /** The cards of AMD, where they can be listed. */
  readonly amd: readonly GpuIdentity[] | undefined
  readonly intel: boolean
}

/**
 * Which ids are whose. A number is that of a card of the first maker that has any: NVIDIA, AMD, Intel. A UUID, or its beginning, is that of the cards of AMD that it
 * fits, else one of NVIDIA's, whose cards say who they are only when their library is open.
 */
export function idsByMaker(gpuIds: Options['gpuIds'], here: MakersHere): IdsByMaker {
  if (gpuIds === undefined) return { nvidia: undefined, amd: undefined, intel: undefined }
  const first = here.nvidia ? 'nvidia' : here.amd === undefined ? (here.intel ? 'intel' : 'nvidia') : 'amd'
  const ids: Record<keyof IdsByMaker, (string | number)[]> = { nvidia: [], amd: [], intel: [] }
  for (const id of gpuIds) {
    const isNumber = /^\d+$/.test(String(id))
    const isOfAmd = !isNumber && countFits(here.amd ?? [], id) > 0
    ids[isOfAmd ? 'amd' : isNumber || !here.nvidia ? first : 'nvidia'].push(id)
  }
  return ids
}

/** Who names cards on a machine without any is mistaken in something. What CUDA is told is not about this package. */
export const idsOfNone = ({ gpuIds }: Options): readonly Problem[] =>
  gpuIds === undefined ? [] : selectGpus([], { gpuIds, environment: {}, vendor: 'nvidia' }).problems
