import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import { ProbeUnavailable } from '../core/errors.ts'
import type { LoadSource } from '../core/load.ts'
import type { Probe } from '../core/probe.ts'
import type { Component } from '../core/reading.ts'
import { estimateMemoryPower } from '../core/power-model.ts'
import { toGigabytes, watts } from '../core/units.ts'
import { createAmdEnergyProbe } from '../probes/amd-energy.ts'
import { createAmdPackageProbe } from '../probes/amd-package.ts'
import { createBoardRailsProbe } from '../probes/board-rails.ts'
import type { CpuModel } from '../probes/cpu-model.ts'
import type { Candidate, Candidates } from '../probes/detector.ts'
import { constantPower, createEstimateProbe, type PowerModel } from '../probes/estimates.ts'
import { openCpuFrequency } from '../probes/linux/cpu-frequency.ts'
import type { Machine } from '../probes/machine.ts'
import { createPowermetricsProbe } from '../probes/macos/powermetrics-probe.ts'
import { findMemory } from '../probes/memory.ts'
import { createPowerGadgetProbe } from '../probes/power-gadget/power-gadget-probe.ts'
import { createRaplProbe, type RaplOptions, type RaplProbe } from '../probes/rapl.ts'
import { createStandIn } from '../probes/stand-in.ts'
import { createUtilisation } from '../probes/utilisation.ts'
import { loadEmiBinding } from '../probes/windows/emi-koffi.ts'
import { createEmiProbe } from '../probes/windows/emi-probe.ts'

/** What candidates are chosen by. */
export interface CandidateInput {
  readonly options: Options
  readonly machine: Machine
  readonly cpuModel: () => CpuModel
  readonly load: LoadSource | undefined
  readonly clock: Clock
}

/** The ways to tell processors and memory on this system, the best first; of graphics cards see gpus.ts. */
export function candidatesFor({ options, machine, cpuModel, load, clock }: CandidateInput): Candidates {
  const utilisation = load === undefined ? undefined : createUtilisation(load)
  const rapl: Candidate = {
    probe: 'rapl',
    method: 'measured',
    open() {
      refuseWhereEstimateIsAsked(options)
      const { sysfsPath, raplPreferPsys } = options
      const includeDram = memoryCounts(options)
      const probe = openRapl({ sysfsPath, includeDram, preferPsys: raplPreferPsys }, machine)
      const counters = `${sysfsPath}/class/powercap`
      return probe.isWholePlatform
        ? {
            probe,
            components: probe.components,
            basis: () => `whole-platform counter (psys) in ${counters}, processors and memory together`,
            includedIn: { ram: 'cpu' },
          }
        : { probe, components: probe.components, basis: () => `hardware counters in ${counters}` }
    },
  }
  const openCpuEstimate = (): Probe =>
    createEstimateProbe(
      {
        name: 'cpu-estimate',
        component: 'cpu',
        domain: 'cpu',
        kind: 'cpu',
        // One that is assumed would say more than anybody knows.
        get powerLimit() {
          const { part, tdpWatts } = cpuModel()
          return part === undefined && options.forceCpuPower === undefined ? undefined : watts(tdpWatts)
        },
        power: (busy, frequencyRatio) => cpuModel().power(busy, frequencyRatio),
      },
      utilisation,
      process.platform === 'linux' ? openCpuFrequency(options.sysfsPath) : undefined,
    )
  const cpuEstimate: Candidate = {
    probe: 'cpu-estimate',
    method: 'estimated',
    open: () => ({ probe: openCpuEstimate(), components: ['cpu'], basis: () => cpuModel().basis }),
  }
  const ramEstimate: Candidate = {
    probe: 'ram-estimate',
    method: 'estimated',
    open() {
      const { power, basis } = ramModel(options, machine)
      return {
        probe: createEstimateProbe(
          { name: 'ram-estimate', component: 'ram', domain: 'ram', kind: 'ram', power },
          utilisation,
        ),
        components: ['ram'],
        basis: () => basis,
      }
    },
  }
  const meters = metersOf(process.platform, { options, machine, clock, rapl, openCpuEstimate })
  return [
    { component: 'cpu', candidates: [...meters.cpu, cpuEstimate] },
    { component: 'ram', candidates: [...meters.ram, ramEstimate] },
    ...(meters.gpu === undefined ? [] : [{ component: 'gpu' as const, candidates: meters.gpu }]),
  ]
}

interface MeterInput extends Pick<CandidateInput, 'options' | 'machine' | 'clock'> {
  readonly rapl: Candidate
  readonly openCpuEstimate: () => Probe
}

/** The meters that a system may have. */
function metersOf(
  platform: NodeJS.Platform,
  input: MeterInput,
): {
  readonly cpu: readonly Candidate[]
  readonly ram: readonly Candidate[]
  /** Of graphics that are part of a board. */
  readonly gpu?: readonly Candidate[]
} {
  if (platform === 'win32') return ofWindows(input)
  return platform === 'darwin' ? ofMacos(input) : ofLinux(input)
}

/** What is read besides RAPL is asked for only on machines that may have it: listing a machine's monitors takes time. */
function ofLinux({ options, machine, rapl }: MeterInput): ReturnType<typeof metersOf> {
  const { sysfsPath } = options
  const candidate = (
    name: string,
    open: () => Probe & { readonly components: readonly Component[] },
  ): Candidate => ({
    probe: name,
    method: name === 'amd_energy' ? 'measured' : 'integrated',
    open() {
      refuseWhereEstimateIsAsked(options)
      const probe = open()
      return { probe, components: probe.components, basis: () => `monitors in ${sysfsPath}/class/hwmon` }
    },
  })
  if (machine.cpu.vendor === 'AuthenticAMD' && !machine.cpu.isVirtual) {
    const energy = candidate('amd_energy', () => createAmdEnergyProbe({ sysfsPath }))
    const power = candidate('amd-package', () => createAmdPackageProbe({ sysfsPath }))
    return { cpu: [rapl, energy, power], ram: [rapl] }
  }
  const isX86 = machine.cpu.vendor !== undefined
  if (isX86) return { cpu: [rapl], ram: [rapl] }
  const rails: Candidate = {
    probe: 'board-rails',
    method: 'integrated',
    open() {
      refuseWhereEstimateIsAsked(options)
      const probe = createBoardRailsProbe({ sysfsPath })
      const { components, includedIn } = probe
      return {
        probe,
        components,
        includedIn,
        basis: () => `power rails of the board in ${sysfsPath}/class/hwmon`,
      }
    },
  }
  const ram = options.forceRamPower === undefined ? [rapl, rails] : [rapl]
  return { cpu: [rapl, rails], ram, gpu: [rails] }
}

/** Until it is known whether powermetrics may be run, and whenever it is down, the model tells the processors. */
function ofMacos({ options, machine, clock, openCpuEstimate }: MeterInput): ReturnType<typeof metersOf> {
  const powermetrics: Candidate = {
    probe: 'powermetrics',
    method: 'integrated',
    open() {
      refuseWhereEstimateIsAsked(options)
      const meter = createPowermetricsProbe({ brand: machine.cpu.modelName ?? '', clock })
      return {
        probe: createStandIn(meter, openCpuEstimate(), 'cpu'),
        components: meter.components,
        basis: () => 'powermetrics of macOS where it may be run, else its model',
      }
    },
  }
  return { cpu: [powermetrics, powerGadget(options)], ram: [] }
}

function ofWindows({ options }: MeterInput): ReturnType<typeof metersOf> {
  const emi: Candidate = {
    probe: 'emi',
    method: 'measured',
    open() {
      refuseWhereEstimateIsAsked(options)
      const probe = createEmiProbe({ binding: loadEmiBinding(), includeDram: memoryCounts(options) })
      return { probe, components: probe.components, basis: () => 'Energy Meter Interface of Windows' }
    },
  }
  return { cpu: [emi, powerGadget(options)], ram: [emi] }
}

const powerGadget = (options: Options): Candidate => ({
  probe: 'power-gadget',
  method: 'measured',
  open() {
    refuseWhereEstimateIsAsked(options)
    const probe = createPowerGadgetProbe({ includeDram: false })
    return { probe, components: ['cpu'], basis: () => 'log of Intel Power Gadget' }
  },
})

const memoryCounts = ({ raplIncludeDram, forceRamPower }: Options): boolean =>
  raplIncludeDram && forceRamPower === undefined

/** @throws ProbeUnavailable where an option rules meters of the processors out */
function refuseWhereEstimateIsAsked({ forceCpuPower, forceModeCpuLoad }: Options): void {
  if (forceCpuPower !== undefined) throw new ProbeUnavailable('force_cpu_power asks for an estimate')
  if (forceModeCpuLoad) throw new ProbeUnavailable('force_mode_cpu_load asks for an estimate')
}

/** How the memory's power is estimated. Its modules are looked for only here: memory that is measured needs none of it. */
function ramModel(
  { forceRamPower, sysfsPath }: Options,
  machine: Machine,
): { power: PowerModel['power']; basis: string } {
  if (forceRamPower !== undefined) {
    return { power: constantPower(forceRamPower), basis: `${forceRamPower} W, as configured` }
  }
  const memory = findMemory(machine, sysfsPath)
  if (memory === undefined) {
    throw new ProbeUnavailable('the size of the memory cannot be read', 'give its watts with force_ram_power')
  }
  const { bytes, isLowPower, basis } = memory
  const gigabytes = toGigabytes(bytes)
  return { power: (busy) => estimateMemoryPower(gigabytes, busy, isLowPower), basis }
}

function openRapl(options: RaplOptions, { cpu }: Machine): RaplProbe {
  try {
    return createRaplProbe(options)
  } catch (error) {
    if (!(error instanceof ProbeUnavailable) || !cpu.isVirtual) throw error
    throw new ProbeUnavailable(
      `${error.message}: a virtual machine does not see the counters of its host`,
      'measure on the host, or on bare metal',
      { cause: error },
    )
  }
}
