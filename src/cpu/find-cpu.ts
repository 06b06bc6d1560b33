import { findByCoreName, findByCpuid, parseCpuid, type ArmId, type X86Id } from './find-by-cpuid.ts'
import { findByName, type NameMatch } from './find-by-name.ts'
import { cpuTable, microarchitectureTable, type Confidence, type MicroarchitectureRow } from './tables.ts'

export type { ArmId, X86Id } from './find-by-cpuid.ts'

/** What is known of a processor, however it was found. What is not known is `undefined`. */
interface CpuFacts {
  readonly name: string
  readonly confidence: Confidence
  /** Who published the figures. */
  readonly source: string
  /** Launch. */
  readonly year: number | undefined
  /** Per socket. */
  readonly cores: number | undefined
  /** Hardware threads per socket. */
  readonly threads: number | undefined
  readonly microarchitecture: string | undefined
  /** Watts of the package per hardware thread, without memory. */
  readonly wattsPerThread: { readonly idle: number; readonly full: number } | undefined
}

/** A processor that was found by its name. */
export interface NamedCpu extends CpuFacts {
  readonly matchedBy: 'exact' | 'normalised' | 'tokens'
  /** Thermal design power of one socket in watts; of hybrid and mobile parts the base power. */
  readonly tdpWatts: number
  /** Highest sustained power in watts where the maker states one ("maximum turbo power"). */
  readonly tdpMaxWatts: number | undefined
}

/** A processor of which only the family is known: how many threads it has, and so its TDP, cannot be told. */
export interface CpuFamily extends CpuFacts {
  readonly matchedBy: 'cpuid'
  readonly tdpWatts: undefined
  readonly tdpMaxWatts: undefined
  readonly microarchitecture: string
}

/** What {@link findCpu} finds. Where `matchedBy` is not `cpuid` there is a TDP. */
export type CpuPart = NamedCpu | CpuFamily

/**
 * Looks a processor up in the tables of this package.
 *
 * By name, as `/proc/cpuinfo`, `os.cpus()` or a datasheet spell it: exactly, then without decoration such as "(R)" and
 * "@ 2.60GHz", then by the words that name the model if one part alone has them. The masked names of virtual machines
 * ("Intel(R) Xeon(R) Processor @ 2.20GHz") name no part. By CPUID, which virtual machines do pass on: an object, or a text such
 * as `GenuineIntel 6/85/7`; then the microarchitecture and its watts per hardware thread come back instead of a TDP.
 *
 * Watts are watts: TDP per socket, package power per hardware thread. Sources: AMD's and Intel's specification lists, Eco2AI
 * and CodeCarbon (TDP), Intel perfmon and Kepler (microarchitectures), Teads (measured watts); see `ATTRIBUTION.md`.
 *
 * @returns `undefined` where nothing matches without doubt: a wrong part is worse than none.
 *
 * @example
 * findCpu('AMD EPYC 7763 64-Core Processor')?.tdpWatts // 280
 * findCpu({ vendor: 'GenuineIntel', family: 6, model: 85, stepping: 7 })?.microarchitecture // 'Cascade Lake'
 * findCpu({ midrPart: '0xd0c' })?.wattsPerThread // { idle: 0.281, full: 2.344 }
 */
export function findCpu(cpu: string | X86Id | ArmId): CpuPart | undefined {
  if (typeof cpu !== 'string') return fromFamily(findByCpuid(cpu))
  const id = parseCpuid(cpu)
  if (id !== undefined) return fromFamily(findByCpuid(id))
  const match = findByName(cpu)
  return match === undefined ? fromFamily(findByCoreName(cpu)) : fromName(match)
}

function fromName({ row, matchedBy }: NameMatch): NamedCpu {
  const [name, tdpWatts, confidence, source, year, cores, threads, tdpMaxWatts] = row
  return {
    name,
    matchedBy,
    confidence,
    source: cpuTable().sourceTitle(source),
    tdpWatts,
    tdpMaxWatts: tdpMaxWatts ?? undefined,
    year: year ?? undefined,
    cores: cores ?? undefined,
    threads: threads ?? undefined,
    microarchitecture: undefined,
    wattsPerThread: undefined,
  }
}

const makerNames = { GenuineIntel: 'Intel', AuthenticAMD: 'AMD', ARM: 'Arm' } as const

function fromFamily(row: MicroarchitectureRow | undefined): CpuFamily | undefined {
  if (row === undefined) return undefined
  const [vendor, , , , , microarchitecture, , , idle, full, wattsBasis, source, wattsSource] = row
  return {
    name: `${makerNames[vendor]} ${microarchitecture}`,
    matchedBy: 'cpuid',
    // Watts of a typical part of the family, so never 'high'.
    confidence: wattsBasis === 'measured' ? 'medium' : 'low',
    source: [source, wattsSource ?? []]
      .flat()
      .map((id) => microarchitectureTable().sourceTitle(id))
      .join('; '),
    tdpWatts: undefined,
    tdpMaxWatts: undefined,
    year: undefined,
    cores: undefined,
    threads: undefined,
    microarchitecture,
    wattsPerThread: idle === null || full === null ? undefined : { idle, full },
  }
}
