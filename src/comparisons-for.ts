import type { EmissionsData } from './core/emissions-data.ts'
import { compare, type Comparison } from './grid/comparisons.ts'

/** What the emissions of a run compare to; nothing that is too small to be pictured. */
export function comparisonsFor({ emissions, intensity }: EmissionsData): Comparison[] {
  if (emissions === undefined || emissions === 0) return []
  return compare(emissions * 1000, intensity.gramsPerKwh).filter(
    ({ unit }) => !/^(milli|micro|nano)second|illionth|^[nµ]m$/.test(unit),
  )
}
