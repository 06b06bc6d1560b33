import { lazyTable } from '../data-table.ts'
import { gpuTokens } from './gpu-name.ts'

/** A row of `data/gpu-power.json`. */
interface GpuRow {
  readonly vendor: string
  readonly name: string
  readonly tdpWatts: number
  readonly idleWatts: number
  readonly idleWithContextWatts: number | undefined
  readonly class: 'datacenter' | 'workstation' | 'consumer' | 'laptop'
  readonly year: number
  readonly confidence: 'high' | 'medium' | 'low'
  readonly source: string
  readonly idleSource: string
}

/** What is known of a graphics card by its name. */
export interface GpuPart extends Omit<GpuRow, 'source' | 'idleSource'> {
  readonly matchedBy: 'exact' | 'normalised' | 'tokens'
  /** Who published the figures. */
  readonly source: string
}

const gpuTable = lazyTable<GpuRow>('gpu-power')

/**
 * Looks a graphics card up in the table of this package, by the name that its driver or datasheet gives it: exactly, then without
 * decoration, then by its words where they leave one card alone.
 *
 * @returns board power and idle power in watts; `undefined` where nothing matches without doubt, since a wrong part is worse than none
 *
 * @example
 * findGpu('NVIDIA A100-SXM4-80GB')?.tdpWatts // 400
 * findGpu('NVIDIA H100 80GB HBM3')?.name // 'H100 SXM5 80GB'
 */
export function findGpu(name: string): GpuPart | undefined {
  const { rows } = gpuTable()
  const text = name.trim().toLowerCase()
  const exact = rows.find((row) => row.name.toLowerCase() === text)
  if (exact !== undefined) return toPart(exact, 'exact')

  const tokens = gpuTokens(name)
  const same = rows.filter((row) => fits(tokens, gpuTokens(row.name), () => false))
  if (same.length === 1) return toPart(same[0], 'normalised')

  // "4000" may be any of three cards of two makers, whichever are listed.
  if ([...tokens].every((token) => !/[a-z]/.test(token))) return undefined
  const near = rows.filter((row) => fits(tokens, gpuTokens(row.name), (token) => variantWord.test(token)))
  return near.length === 1 ? toPart(near[0], 'tokens') : undefined
}

/**
 * Words that a name may leave out where that leaves one card alone: families, connectors, memory sizes and generations. A name never has a
 * word more than its card: "with Max-Q Design", "Laptop", "MIG 1g.10gb", "-8Q" and "12GB" mean another power.
 */
const variantWord =
  /^(geforce|quadro|radeon|instinct|rtx|gtx|rx|sxm\d?|pcie|nvl|\d+gb|ada|blackwell|pascal|generation|workstation|server|part)$/

/** Whether the name's words are all among the row's, and the row's others may be left out. */
function fits(
  name: ReadonlySet<string>,
  row: ReadonlySet<string>,
  mayLeaveOut: (token: string) => boolean,
): boolean {
  if (name.size === 0) return false
  return (
    [...name].every((token) => row.has(token)) &&
    [...row].every((token) => name.has(token) || mayLeaveOut(token))
  )
}

function toPart(row: GpuRow | undefined, matchedBy: GpuPart['matchedBy']): GpuPart | undefined {
  if (row === undefined) return undefined
  const { source, idleSource, ...rest } = row
  const { sources } = gpuTable()
  const title = [source, idleSource].map((id) => sources[id]?.title ?? id).join('; ')
  return { ...rest, matchedBy, source: title }
}
