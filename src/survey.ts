import { readCalibration } from './calibration.ts'
import type { Options } from './config/option-table.ts'
import type { IntensityRecord } from './core/emissions-data.ts'
import { messageOf, ProbeUnavailable } from './core/errors.ts'
import type { LoadSource } from './core/load.ts'
import { estimateMemoryPower } from './core/power-model.ts'
import type { Problem } from './core/problem.ts'
import { toGigabytes } from './core/units.ts'
import { intensityFor } from './grid/intensity.ts'
import { resolvePlace, type Place, type PlaceProblem, type ResolvedPlace } from './grid/place.ts'
import { createCpuModel, type CpuModel, type CpuModelOptions } from './probes/cpu-model.ts'
import { detect, type Candidate, type Candidates, type Detection } from './probes/detector.ts'
import { constantPower, createEstimateProbe, type PowerModel } from './probes/estimates.ts'
import { openCpuFrequency } from './probes/linux/cpu-frequency.ts'
import { findGpus } from './probes/linux/gpu-presence.ts'
import { openProcfsLoad } from './probes/linux/procfs-load.ts'
import { describeMachine, type Machine } from './probes/machine.ts'
import { findMemory, findMemoryLimit } from './probes/memory.ts'
import { openOsLoad } from './probes/os-load.ts'
import { createRaplProbe, type RaplOptions, type RaplProbe } from './probes/rapl.ts'
import { createUtilisation } from './probes/utilisation.ts'

/** What is known about machine and place before anything is measured. */
export interface Survey {
  readonly machine: Machine
  /** Made when it is first asked for: a machine whose counters can be read needs no model. */
  readonly cpuModel: () => CpuModel
  readonly detection: Detection
  readonly load: LoadSource | undefined
  /** Memory whose energy is told, where that is less than the machine has: the limit of a container. */
  readonly memoryLimitBytes: number | undefined
  readonly gpus: readonly string[] | undefined
  /** What the configuration says of the place. */
  readonly place: Place
  /** Whether it says anything, right or wrong. */
  readonly isPlaceGiven: boolean
  readonly intensity: IntensityRecord
  readonly problems: readonly Problem[]
}

/** Looks at the machine and its place, and opens the probes that work here. */
export function surveyMachine(options: Options, origins?: Origins): Survey {
  const { procfsPath, sysfsPath } = options
  const problems: Problem[] = []
  const load = openLoad(procfsPath, problems)
  const machine = describeMachine(procfsPath, load)
  let model: CpuModel | undefined
  const cpuModel = (): CpuModel =>
    (model ??= createCpuModel(machine.cpu, { ...options, ...calibrated(options, machine, problems) }))
  const detection = detect(candidatesFor(options, machine, cpuModel, load))
  const gpus = findGpus(sysfsPath)
  if (gpus !== undefined && gpus.length > 0) problems.push(unmeasuredGpus(gpus))

  const { place, problems: doubts, isGiven: isPlaceGiven } = givenPlace(options)
  const forced = options.forceCarbonIntensityGCo2eKwh
  const found = intensityFor(place)
  for (const { subject, message } of [...doubts, ...(forced === undefined ? found.problems : [])]) {
    // An option is called what it was called where it was given.
    const where = origins?.[subject].where
    const said = where === undefined ? message : message.replace(new RegExp(`^${subject}\\b`), where)
    problems.push({ code: 'ERR_PLACE_UNKNOWN', subject, message: said })
  }
  const intensity = forced === undefined ? found.intensity : forcedIntensity(forced)
  return {
    machine,
    cpuModel,
    detection,
    load,
    memoryLimitBytes: findMemoryLimit(machine, sysfsPath),
    gpus,
    place,
    isPlaceGiven,
    intensity,
    problems,
  }
}

/** Where options come from, to name them as their user does. */
type Origins = Readonly<Record<PlaceProblem['subject'], { readonly where?: string | undefined }>>

/** What was learned of these processors, where the user does not say it otherwise. */
function calibrated(
  options: Options,
  { cpu }: Machine,
  problems: Problem[],
): Pick<CpuModelOptions, 'calibration'> {
  const isSaid = [options.cpuMaxWatts, options.cpuIdleWatts, options.forceCpuPower, options.cpuModel].some(
    (value) => value !== undefined,
  )
  if (isSaid) return {}
  try {
    return { calibration: readCalibration(cpu) }
  } catch (error) {
    problems.push({ code: 'ERR_FILE_UNREADABLE', subject: 'calibration', message: messageOf(error) })
    return {}
  }
}

/** What the configuration says of the place. A wrong word for a place is no reason to guess another one. */
function givenPlace(options: Options): ResolvedPlace & { readonly isGiven: boolean } {
  const { region, cloudProvider, cloudRegion, country2letterIsoCode } = options
  const query = {
    countryIsoCode: options.countryIsoCode ?? country2letterIsoCode,
    region,
    cloudProvider,
    cloudRegion,
  }
  const isGiven = Object.values(query).some((word) => word !== undefined && word.trim() !== '')
  return { ...resolvePlace(query), isGiven }
}

const forcedIntensity = (gramsPerKwh: number): IntensityRecord => ({
  gramsPerKwh,
  year: undefined,
  scope: 'given',
  source: 'given by the user',
  basis: 'unknown',
  quality: 'ok',
})

function openLoad(procfsPath: string, problems: Problem[]): LoadSource | undefined {
  if (process.platform !== 'linux') return openOsLoad()
  try {
    return openProcfsLoad(procfsPath)
  } catch (error) {
    if (!(error instanceof ProbeUnavailable)) throw error
    const message = `${error.message}: estimates assume half load, with an interval from idle to full; ${error.remedy}`
    problems.push({ code: 'ERR_PROBE_UNAVAILABLE', subject: 'load', message })
    return undefined
  }
}

function candidatesFor(
  options: Options,
  machine: Machine,
  cpuModel: () => CpuModel,
  load: LoadSource | undefined,
): Candidates {
  const utilisation = load === undefined ? undefined : createUtilisation(load)
  const rapl: Candidate = {
    probe: 'rapl',
    method: 'measured',
    open() {
      if (options.forceCpuPower !== undefined)
        throw new ProbeUnavailable('force_cpu_power asks for an estimate')
      if (options.forceModeCpuLoad) throw new ProbeUnavailable('force_mode_cpu_load asks for an estimate')
      const { sysfsPath, raplIncludeDram, raplPreferPsys } = options
      const includeDram = raplIncludeDram && options.forceRamPower === undefined
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
  const cpuEstimate: Candidate = {
    probe: 'cpu-estimate',
    method: 'estimated',
    open: () => ({
      probe: createEstimateProbe(
        {
          name: 'cpu-estimate',
          component: 'cpu',
          domain: 'cpu',
          kind: 'cpu',
          power: (busy, frequencyRatio) => cpuModel().power(busy, frequencyRatio),
        },
        utilisation,
        process.platform === 'linux' ? openCpuFrequency(options.sysfsPath) : undefined,
      ),
      components: ['cpu'],
      basis: () => cpuModel().basis,
    }),
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
  return [
    { component: 'cpu', candidates: [rapl, cpuEstimate] },
    { component: 'ram', candidates: [rapl, ramEstimate] },
  ]
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

function unmeasuredGpus(gpus: readonly string[]): Problem {
  const message = `${gpus.length} graphics processor(s) (${[...new Set(gpus)].join(', ')}) that this version cannot measure: their energy is missing from the total`
  return { code: 'ERR_UNMEASURED', subject: 'gpu', message }
}
