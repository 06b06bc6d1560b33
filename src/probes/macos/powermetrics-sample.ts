import {
  fromMillijoules,
  fromMilliwatts,
  fromNanoseconds,
  joules,
  powerOver,
  watts,
  type Seconds,
  type Watts,
} from '../../core/units.ts'
import { parsePlist, type PlistDict, type PlistValue } from './plist.ts'

/** Parts of a Mac that `powermetrics` tells apart. None of them holds another: "Combined Power (CPU + GPU + ANE)". */
export type MacDomain = 'cpu' | 'gpu' | 'ane' | 'package-0'

/** What one document of `powermetrics` says. */
export interface PowermetricsSample {
  /** Length of the window that it is about. */
  readonly elapsed: Seconds
  /** Mean power in that window. A number that cannot be is passed on: judging it is the probe's business. */
  readonly powers: ReadonlyMap<MacDomain, Watts>
}

const appleDomains = ['cpu', 'gpu', 'ane'] as const

/**
 * Parses a document of `powermetrics -f plist`; `undefined` where it tells no window or no power.
 *
 * Apple silicon: `cpu_power`, `gpu_power` and `ane_power` of `processor` in milliwatts, or the `*_energy` in millijoules of versions that
 * tell no power. Intel: `package_watts`, or `package_joules`, of cores, integrated graphics and system agent together. The units are
 * stated in no key or manual; in recorded output power × `elapsed_ns` is the energy in millijoules (15.3528 × 2.019 s = 31).
 *
 * Left out: `combined_power`, which is the sum of the three; `dram_power`, which macOS 11 and 12 told and no later one does.
 */
export function parsePowermetrics(text: string): PowermetricsSample | undefined {
  const root = dictOf(parsePlist(text))
  const nanoseconds = numberOf(root, 'elapsed_ns')
  const processor = dictOf(root?.get('processor'))
  if (nanoseconds === undefined || !(nanoseconds > 0) || processor === undefined) return undefined
  const elapsed = fromNanoseconds(nanoseconds)
  const powers = new Map<MacDomain, Watts>()

  for (const domain of appleDomains) {
    const milliwatts = numberOf(processor, `${domain}_power`)
    const millijoules = numberOf(processor, `${domain}_energy`)
    const power =
      milliwatts === undefined
        ? millijoules === undefined
          ? undefined
          : powerOver(fromMillijoules(millijoules), elapsed)
        : fromMilliwatts(milliwatts)
    if (power !== undefined) powers.set(domain, power)
  }
  const packageJoules = numberOf(processor, 'package_joules')
  const packageWatts =
    numberOf(processor, 'package_watts') ??
    (packageJoules === undefined ? undefined : powerOver(joules(packageJoules), elapsed))
  // Should a version tell both, the parts that can be told apart are better than the whole.
  if (packageWatts !== undefined && !powers.has('cpu')) powers.set('package-0', watts(packageWatts))
  return powers.size === 0 ? undefined : { elapsed, powers }
}

const dictOf = (value: PlistValue | undefined): PlistDict | undefined =>
  value instanceof Map ? (value as PlistDict) : undefined

function numberOf(dict: PlistDict | undefined, key: string): number | undefined {
  const value = dict?.get(key)
  return typeof value === 'number' ? value : undefined
}
