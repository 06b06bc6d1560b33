import { readCalibration } from './calibration.ts'
import { candidatesFor } from './meters/candidates.ts'
import type { Options } from './config/option-table.ts'
import { systemClock, type Clock } from './core/clock.ts'
import type { Embodied } from './core/embodied.ts'
import { givenByUser, type IntensityRecord } from './core/emissions-data.ts'
import { messageOf, ProbeUnavailable } from './core/errors.ts'
import type { LoadSource } from './core/load.ts'
import type { Problem } from './core/problem.ts'
import { toGigabytes } from './core/units.ts'
import { estimateEmbodied, type EmbodiedMachine } from './embodied/estimate-embodied.ts'
import { gpusOfBoard, openGpus, type Gpus } from './meters/gpus.ts'
import { intensityFor } from './grid/intensity.ts'
import { chooseProvider } from './grid/live/choose-provider.ts'
import { resolvePlace, type Place, type PlaceProblem, type ResolvedPlace } from './grid/place.ts'
import { zonesFor, type ZoneSource } from './grid/zones/zone-table.ts'
import { hostMeter, type HostMeter } from './meters/host-meter.ts'
import { createCpuModel, threadsPerSocket, type CpuModel, type CpuModelOptions } from './probes/cpu-model.ts'
import { detect, type Detection } from './probes/detector.ts'
import { readChassis } from './probes/linux/chassis.ts'
import { openProcfsLoad } from './probes/linux/procfs-load.ts'
import { describeMachine, type Machine } from './probes/machine.ts'
import { findMemoryLimit } from './probes/memory.ts'
import { openOsLoad } from './probes/os-load.ts'

/** What is known about machine and place before anything is measured. */
export interface Survey {
  readonly machine: Machine
  /** Made when it is first asked for: a machine whose counters can be read needs no model. */
  readonly cpuModel: () => CpuModel
  /** Emissions of making the machine. Looked for when it is first asked for. */
  readonly embodied: () => Embodied | undefined
  readonly detection: Detection
  readonly load: LoadSource | undefined
  /** Memory whose energy is told, where that is less than the machine has: the limit of a container. */
  readonly memoryLimitBytes: number | undefined
  readonly gpus: Gpus
  /** The meter of the whole machine, where it has one or the options name one. */
  readonly host: HostMeter | undefined
  /** What the configuration says of the place. */
  readonly place: Place
  /** Whether it says anything, right or wrong. */
  readonly isPlaceGiven: boolean
  readonly intensity: IntensityRecord
  readonly problems: readonly Problem[]
}

/** Looks at the machine and its place, and opens the probes that work here. */
export function surveyMachine(
  options: Options,
  origins?: Origins,
  zones: ZoneSource = zonesFor(options.intensitySource),
  clock: Clock = systemClock,
): Survey {
  const { procfsPath, sysfsPath } = options
  const problems: Problem[] = []
  const load = openLoad(procfsPath, problems)
  const machine = describeMachine(procfsPath, load)
  let model: CpuModel | undefined
  const cpuModel = (): CpuModel =>
    (model ??= createCpuModel(machine.cpu, { ...options, ...calibrated(options, machine, problems) }))
  const parts = detect(candidatesFor({ options, machine, cpuModel, load, clock }))
  const board = parts.components.find(({ component, chosen }) => component === 'gpu' && chosen !== undefined)
  const gpus = board === undefined ? openGpus(options, clock) : gpusOfBoard(board)
  problems.push(...gpus.problems)
  const host = hostMeter(options, clock)
  const detection: Detection = {
    probes: [...parts.probes, ...gpus.probes, ...(host === undefined ? [] : [host.probe])],
    // What reads the graphics cards may turn out later.
    get components() {
      const known = parts.components.filter(({ component }) => component !== 'gpu')
      return [...known, ...[gpus.detection()].filter((found) => found !== undefined)]
    },
  }

  const { place, problems: doubts, isGiven: isPlaceGiven } = givenPlace(options)
  const { intensity, problems: remarks } = intensityOf(place, options, zones)
  const named = options.countryIsoCode === undefined ? byTwoLetters(origins) : origins
  const told = doubts.map((doubt) => ({ ...doubt, message: withStandIn(doubt.message, intensity, place) }))
  problems.push(...[...told, ...remarks].map((problem) => placeProblem(problem, named)))
  let embodied: { readonly is: Embodied | undefined } | undefined
  let isGpusOpen = false
  void gpus.opened.then(() => (isGpusOpen = true))
  return {
    machine,
    cpuModel,
    embodied: () => {
      if (embodied !== undefined) return embodied.is
      const is = estimateEmbodied(options, {
        ...embodiedMachine(machine, sysfsPath, gpus.installed()),
        threadsPerSocket: () => threadsPerSocket(cpuModel().part),
      })
      if (isGpusOpen) embodied = { is }
      return is
    },
    detection,
    load,
    memoryLimitBytes: findMemoryLimit(machine, sysfsPath),
    gpus,
    host,
    place,
    isPlaceGiven,
    intensity,
    problems,
  }
}

/** Names of processors for laptops and desktops. */
const clientParts = /\b(Core|Ryzen|Pentium|Celeron|Athlon|Atom|Apple)\b/i

function embodiedMachine(
  { cpu, memoryBytes, os }: Machine,
  sysfsPath: string,
  gpus: number,
): Omit<EmbodiedMachine, 'threadsPerSocket'> {
  // The Linux of Windows, and a virtual machine on a processor that no server has, run on what nobody tells them.
  const isOnClient = /microsoft/i.test(os) || clientParts.test(cpu.modelName ?? '')
  return {
    kind: cpu.isVirtual ? (isOnClient ? undefined : 'virtual') : readChassis(sysfsPath),
    logicalCpus: cpu.logicalCpus,
    sockets: cpu.sockets,
    memoryGigabytes: memoryBytes === undefined ? undefined : toGigabytes(memoryBytes),
    gpus,
  }
}

/** Where options come from, to name them as their user does. */
type Origins = Readonly<Record<PlaceOption, { readonly where?: string | undefined }>>

type PlaceOption =
  Exclude<PlaceProblem['subject'], 'zone' | '@tgwf/co2'> | 'electricitymapsZone' | 'country2letterIsoCode'

/** Where the country is given by its two letters, that is the option to name. */
const byTwoLetters = (origins: Origins | undefined): Origins | undefined =>
  origins === undefined ? undefined : { ...origins, countryIsoCode: origins.country2letterIsoCode }

/** What is wrong with a place, and what counts in its stead. */
function withStandIn(message: string, { scope, gramsPerKwh }: IntensityRecord, place: Place): string {
  if (scope === 'given' || / (is used|counts)$/.test(message)) return message
  const areas = {
    world: 'the world average',
    country: `that of ${place.countryName}`,
    region: `that of ${place.region}`,
    zone: `that of zone ${place.zone}`,
    'cloud region': `that of ${place.cloudRegion}`,
  }
  return `${message}; the carbon intensity used is ${areas[scope]}, ${Number(gramsPerKwh.toPrecision(4))} g/kWh`
}

/** A problem with a place, with its option called what it was called where it was given. */
export function placeProblem({ subject, message }: PlaceProblem, origins?: Origins): Problem {
  const code = 'ERR_PLACE_UNKNOWN'
  if (subject === '@tgwf/co2') return { code, subject, message }
  const option = subject === 'zone' ? 'electricitymapsZone' : subject
  const where = origins?.[option].where
  const said = where === undefined ? message : message.replace(new RegExp(`^${subject}\\b`), where)
  return { code, subject: option, message: said }
}

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
  const { region, cloudProvider, cloudRegion, country2letterIsoCode, electricitymapsZone: zone } = options
  const query = {
    countryIsoCode: options.countryIsoCode ?? country2letterIsoCode,
    region,
    cloudProvider,
    cloudRegion,
    zone,
  }
  const isGiven = Object.values(query).some((word) => word !== undefined && word.trim() !== '')
  return { ...resolvePlace(query), isGiven }
}

/** The yearly figure of the place, or the one that is forced. */
function intensityOf(
  place: Place,
  options: Options,
  zones: ZoneSource,
): { readonly intensity: IntensityRecord; readonly problems: readonly PlaceProblem[] } {
  const forced = options.forceCarbonIntensityGCo2eKwh
  if (forced !== undefined) return { intensity: forcedIntensity(forced), problems: [] }
  const { intensity, problems } = intensityFor(place, zones)
  // Who has a zone for a live source does not need the package of yearly figures.
  const isMoot = place.zone !== undefined && chooseProvider(options, place).provider !== undefined
  const isLeftOut = (subject: string): boolean => isMoot && subject === 'zone' && zones().rows === undefined
  return { intensity, problems: problems.filter(({ subject }) => !isLeftOut(subject)) }
}

const forcedIntensity = (gramsPerKwh: number): IntensityRecord => ({
  gramsPerKwh,
  year: undefined,
  scope: 'given',
  source: givenByUser,
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
