import { findCpu } from '../cpu/find-cpu.ts'
import type { Setting } from './run.ts'

/** Where, on what and by what runs were done; each list begins with what most runs have in common. */
export interface Circumstances {
  readonly places: readonly Counted<Place>[]
  readonly cpus: readonly Counted<Cpu>[]
  readonly gpus: readonly Counted<Gpu>[]
  readonly trackingModes: readonly Counted<{ readonly mode: string }>[]
  readonly pues: readonly Counted<{ readonly pue: number }>[]
  readonly software: readonly Counted<Software>[]
  /** Where the carbon intensities are from, as far as the files tell. */
  readonly intensities: readonly Counted<IntensitySource>[]
  readonly embodiedSources: readonly Counted<{ readonly source: string }>[]
}

/** Something, and the number of runs that have it. */
export type Counted<T> = T & { readonly runs: number }

/** Where a machine is, as far as its rows tell. */
export type Place = Pick<
  Setting,
  'countryName' | 'countryIsoCode' | 'region' | 'cloudProvider' | 'cloudRegion' | 'onCloud'
>

/** The processors of a machine. */
export interface Cpu {
  readonly model: string
  readonly logicalCpus: number | undefined
  /** Thermal design power of one socket in watts, from the tables of this package. */
  readonly tdpWatts: number | undefined
}

/** The graphics processors of a machine. */
export interface Gpu {
  /** With the number of them in front where CodeCarbon wrote it: `2 x NVIDIA A100`. */
  readonly model: string
  readonly count: number | undefined
}

/** Who published a carbon intensity, and what it is of. */
export interface IntensitySource {
  readonly source: string
  readonly year: number | undefined
  readonly basis: string | undefined
}

/** What wrote the rows. */
export interface Software {
  readonly codecarbonVersion: string | undefined
  readonly runtimeVersion: string | undefined
}

/** What the settings of runs have in common. */
export function circumstancesOf(settings: ReadonlyMap<Setting, number>): Circumstances {
  return {
    places: tally(settings, toPlace),
    cpus: tally(settings, ({ cpuModel, cpuCount }) =>
      cpuModel === undefined
        ? undefined
        : { model: cpuModel, logicalCpus: cpuCount, tdpWatts: findCpu(cpuModel)?.tdpWatts },
    ),
    gpus: tally(settings, ({ gpuModel, gpuCount }) =>
      gpuModel === undefined ? undefined : { model: gpuModel, count: gpuCount },
    ),
    trackingModes: tally(settings, ({ trackingMode: mode }) => (mode === undefined ? undefined : { mode })),
    pues: tally(settings, ({ pue }) => (pue === undefined ? undefined : { pue })),
    intensities: tally(settings, ({ intensitySource: source, intensityYear: year, intensityBasis: basis }) =>
      source === undefined ? undefined : { source, year, basis },
    ),
    embodiedSources: tally(settings, ({ embodiedSource: source }) =>
      source === undefined ? undefined : { source },
    ),
    software: tally(settings, ({ codecarbonVersion, runtimeVersion }) =>
      codecarbonVersion === undefined && runtimeVersion === undefined
        ? undefined
        : { codecarbonVersion, runtimeVersion },
    ),
  }
}

function toPlace(setting: Setting): Place {
  const { countryName, countryIsoCode, region, cloudProvider, cloudRegion, onCloud } = setting
  const isKnown = [countryName, countryIsoCode, region, cloudProvider, cloudRegion].some(Boolean)
  // Nothing but that nobody knows: such runs are counted together.
  return isKnown ? { countryName, countryIsoCode, region, cloudProvider, cloudRegion, onCloud } : nowhere
}

const nowhere: Place = {
  countryName: undefined,
  countryIsoCode: undefined,
  region: undefined,
  cloudProvider: undefined,
  cloudRegion: undefined,
  onCloud: undefined,
}

/** Equal things counted together; the order does not depend on that of the runs. */
function tally<T extends object>(
  settings: ReadonlyMap<Setting, number>,
  pick: (setting: Setting) => T | undefined,
): Counted<T>[] {
  const counted = new Map<string, Counted<T>>()
  for (const [setting, runs] of settings) {
    const item = pick(setting)
    if (item === undefined) continue
    const key = JSON.stringify(item)
    counted.set(key, { ...item, runs: runs + (counted.get(key)?.runs ?? 0) })
  }
  return [...counted]
    .toSorted(([oneKey, one], [otherKey, other]) => other.runs - one.runs || (oneKey < otherKey ? -1 : 1))
    .map(([, item]) => item)
}
