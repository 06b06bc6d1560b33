import {
  cpuPowerAtUnknownLoad,
  cpuPowerModels,
  fullLoadShare,
  type CpuPowerModelName,
  type PowerEstimate,
} from '../core/power-model.ts'
import { watts } from '../core/units.ts'
import { findCpu, type CpuPart } from '../cpu/find-cpu.ts'
import type { PowerModel } from './estimates.ts'
import type { CpuInfo } from './linux/cpuinfo.ts'

/** What the user told about the processor. */
export interface CpuModelOptions {
  /** TDP of the whole machine in watts, in place of the table's. */
  readonly forceCpuPower?: number | undefined
  /** Name of the processor, where the system gives a wrong one or none. */
  readonly cpuModel?: string | undefined
  /** Watts of all packages at full load. */
  readonly cpuMaxWatts?: number | undefined
  /** Watts of all packages at idle. */
  readonly cpuIdleWatts?: number | undefined
  /** What was learned of this machine, where the user does not say it. */
  readonly calibration?:
    { readonly idleWatts: number; readonly maxWatts: number; readonly calibratedAt: string } | undefined
  /** @default 'default' */
  readonly cpuPowerModel?: CpuPowerModelName | undefined
}

/** A power model of this machine's processors, and what it stands on. */
export interface CpuModel {
  readonly power: PowerModel['power']
  /** One sentence: which processor was assumed, and why. */
  readonly basis: string
  readonly part: CpuPart | undefined
  readonly tdpWatts: number
}

/** Upstream's figure for a processor that nobody knows. */
const assumedTdpWatts = 85
/** Four of five processors of data/cpu-tdp.json have between 0.18 and 1.8 times that TDP. */
const assumedSpread = { low: 0.18, high: 1.8 }
/** Upstream's figure for a logical CPU of a processor that nobody knows: what a virtual machine has is threads, never a whole socket. */
const assumedWattsPerThread = 4
/** Measured full-load watts per thread of data/cpu-microarchitectures.json lie between 1.4 and 6.9. */
const assumedThreadSpread = { low: 0.35, high: 1.75 }
/** Watts per thread are the typical part's of a microarchitecture; parts of one family differ by about this much. */
const familySpread = { low: 0.7, high: 1.4 }
const noSpread = { low: 1, high: 1 }

/** What the basis says of a model that the user chose. */
const modelWords: Readonly<Record<CpuPowerModelName, string>> = {
  default: '',
  codecarbon: ', by the curve of CodeCarbon for Python (cpu_power_model=codecarbon)',
  constant: ', half of it at any load (cpu_power_model=constant)',
}

/** Chooses what to estimate the processors' power from: the user's figures, the part's TDP, its family's watts per thread, or an assumption. */
export function createCpuModel(cpu: CpuInfo, options: CpuModelOptions = {}): CpuModel {
  const { logicalCpus } = cpu
  // A hypervisor may show each of its virtual CPUs as a socket.
  const sockets = cpu.isVirtual ? 1 : (cpu.sockets ?? 1)
  const { forceCpuPower, calibration, cpuPowerModel = 'default' } = options
  const { cpuMaxWatts = calibration?.maxWatts, cpuIdleWatts = calibration?.idleWatts } = options
  const known =
    calibration === undefined
      ? `${cpuMaxWatts} W at full load, as configured`
      : `${cpuIdleWatts} W idle and ${cpuMaxWatts} W at full load, calibrated ${calibration.calibratedAt.slice(0, 10)}`
  const part = findPart(cpu, options.cpuModel)
  const model = (tdpWatts: number, count: number, basis: string, spread = noSpread): CpuModel => ({
    power: powerFrom(
      { tdpWatts, sockets: count, maxWatts: cpuMaxWatts, idleWatts: cpuIdleWatts },
      cpuMaxWatts === undefined ? spread : noSpread,
      cpuPowerModel,
    ),
    basis: `${cpuMaxWatts === undefined ? basis : known}${modelWords[cpuPowerModel]}`,
    part,
    tdpWatts: tdpWatts * count,
  })

  if (forceCpuPower !== undefined)
    return model(forceCpuPower, 1, `a TDP of ${forceCpuPower} W, as configured`)
  const share = part === undefined || part.matchedBy === 'cpuid' ? undefined : shareOf(cpu, part)
  if (part !== undefined && part.matchedBy !== 'cpuid' && share !== undefined) {
    const of = cpu.isVirtual ? `, of which this virtual machine has ${logicalCpus} threads` : ''
    const count = cpu.isVirtual ? '' : `${sockets} × `
    const parts = cpu.isVirtual ? 1 : sockets
    return model(
      part.tdpWatts * share,
      parts,
      `${count}${part.name}, TDP ${part.tdpWatts} W${of}`,
      spreadOfShare(cpu, part),
    )
  }
  const isSettled = part?.wattsPerThread !== undefined || options.cpuModel !== undefined
  const family = isSettled ? part : findFamily(cpu)
  if (family?.wattsPerThread !== undefined) {
    const { full } = family.wattsPerThread
    const name =
      part?.matchedBy === 'cpuid' || part === undefined
        ? `an unnamed ${family.microarchitecture ?? family.name}`
        : `a ${part.name}`
    // So that the estimate at full load is what the family was measured to draw.
    return model(
      (full * logicalCpus) / fullLoadShare,
      1,
      `${logicalCpus} threads of ${name} processor, ${full} W each`,
      familySpread,
    )
  }
  const name = options.cpuModel ?? cpu.modelName
  const why =
    part !== undefined
      ? `nobody knows how many threads a ${part.name} has`
      : name === undefined
        ? 'the processor has no name'
        : `the processor "${name}" is not in the table`
  if (!cpu.isVirtual) {
    return model(assumedTdpWatts, 1, `an assumed TDP of ${assumedTdpWatts} W, since ${why}`, assumedSpread)
  }
  return model(
    (assumedWattsPerThread * logicalCpus) / fullLoadShare,
    1,
    `${logicalCpus} threads at an assumed ${assumedWattsPerThread} W each, since ${why}`,
    assumedThreadSpread,
  )
}

function findPart(cpu: CpuInfo, configured: string | undefined): CpuPart | undefined {
  const name = configured ?? cpu.modelName
  const byName = name === undefined ? undefined : findCpu(name)
  if (byName !== undefined || configured !== undefined) return byName
  return findFamily(cpu)
}

/** The microarchitecture that the processor says it is of. */
function findFamily(cpu: CpuInfo): CpuPart | undefined {
  const { vendor, family, model, stepping, midrPart, midrImplementer } = cpu
  if (midrPart !== undefined) {
    return findCpu({ midrPart, ...(midrImplementer === undefined ? {} : { midrImplementer }) })
  }
  if (vendor === undefined || family === undefined || model === undefined) return undefined
  return findCpu({ vendor, family, model, ...(stepping === undefined ? {} : { stepping }) })
}

/** Where only the cores of a part are known, it may have one thread for each instead of two: a thread is then twice the share. */
const spreadOfShare = (cpu: CpuInfo, part: CpuPart): { low: number; high: number } =>
  cpu.isVirtual && part.threads === undefined ? { low: 1, high: 2 } : noSpread

/** Hardware threads of a part; where only its cores are known, two for each. `undefined` for a family of parts. */
export const threadsPerSocket = (part: CpuPart | undefined): number | undefined =>
  part?.threads ?? (part?.cores === undefined ? undefined : 2 * part.cores)

/** A virtual machine has some threads of the part its name tells of; `undefined` where nobody knows how many the part has. */
function shareOf(cpu: CpuInfo, part: CpuPart): number | undefined {
  if (!cpu.isVirtual) return 1
  const threads = threadsPerSocket(part)
  return threads === undefined || threads <= 0 ? undefined : cpu.logicalCpus / threads
}

interface ModelInput {
  readonly tdpWatts: number
  readonly sockets: number
  readonly maxWatts: number | undefined
  readonly idleWatts: number | undefined
}

function powerFrom(
  input: ModelInput,
  spread: { low: number; high: number },
  name: CpuPowerModelName,
): PowerModel['power'] {
  const { tdpWatts, sockets, maxWatts, idleWatts } = input
  const known = {
    tdpWatts,
    sockets,
    ...(maxWatts === undefined ? {} : { maxWatts }),
    ...(idleWatts === undefined ? {} : { idleWatts }),
  }
  return (utilisation, frequencyRatio = 1) => {
    const estimate: PowerEstimate =
      utilisation === undefined
        ? cpuPowerAtUnknownLoad(known, name)
        : cpuPowerModels[name]({ ...known, utilisation, frequencyRatio })
    return {
      value: watts(estimate.watts),
      low: watts(estimate.low * spread.low),
      high: watts(estimate.high * spread.high),
    }
  }
}
