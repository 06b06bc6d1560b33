import type { Embodied } from '../core/embodied.ts'
import { addEstimates, exactly, mapEstimate, type Estimate } from '../core/estimate.ts'
import { fromKilograms, fromYears, grams, ratio, toKilograms, type Grams, type Ratio } from '../core/units.ts'
import { lazyTable } from '../data-table.ts'

/** A row of `data/embodied.json`. */
interface EmbodiedRow {
  readonly key: string
  readonly value: number
  readonly low: number
  readonly high: number
  readonly source: string
}

/** What the user tells. */
export interface GivenEmbodied {
  /** kg CO2eq of making the whole machine. */
  readonly embodiedEmissionsKg?: number | undefined
  /** Time over which it is written off. */
  readonly embodiedLifespanYears: number
  /** Part of the machine that is reserved for this system, 0 to 1. */
  readonly embodiedShare?: number | undefined
}

/** What is known of the machine. */
export interface EmbodiedMachine {
  /** `virtual`: a part of a server. */
  readonly kind: 'laptop' | 'desktop' | 'server' | 'virtual' | undefined
  readonly logicalCpus: number
  readonly sockets: number | undefined
  /** Hardware threads of one processor, where it is known by name. */
  readonly threadsPerSocket: number | undefined
  readonly memoryGigabytes: number | undefined
  readonly gpus: number
}

const table = lazyTable<EmbodiedRow>('embodied')

/**
 * What making a machine has emitted: the user's figure, or else one for its kind out of published ones, with an interval as wide as they
 * differ. A rack server is put together as Teads does (see `data/embodied.json`): 1000 kg, and more for each further processor, each GB of
 * memory and each graphics processor; drives are left out. A virtual machine has its threads' share of a server with two processors, and its
 * own memory.
 *
 * @returns `undefined` where nobody says what the machine is
 */
export function estimateEmbodied(given: GivenEmbodied, machine: EmbodiedMachine): Embodied | undefined {
  const { embodiedEmissionsKg: kg, embodiedLifespanYears, embodiedShare } = given
  const lifespan = fromYears(embodiedLifespanYears)
  const years = `${embodiedLifespanYears} years`
  if (kg !== undefined) {
    const share = ratio(embodiedShare ?? 1)
    const reserved = exactly(fromKilograms(kg * share))
    const part = share === 1 ? '' : `${percent(share)} of `
    return { reserved, lifespan, basis: `${part}${kg} kg, as configured, over ${years}`, source: userSource }
  }
  const found = ofMachine(machine, embodiedShare)
  if (found === undefined) return undefined
  const { reserved, what, source } = found
  return { reserved, lifespan, basis: `${what}, ${kilograms(reserved)}, over ${years}`, source }
}

/** As it stands in records. */
const userSource = 'given by the user'

interface Found {
  readonly reserved: Estimate<Grams>
  readonly what: string
  readonly source: string
}

function ofMachine(machine: EmbodiedMachine, givenShare: number | undefined): Found | undefined {
  const { kind } = machine
  if (kind === undefined) return undefined
  if (kind === 'laptop' || kind === 'desktop') {
    const share = ratio(givenShare ?? 1)
    return {
      reserved: scaled(massOf(kind), share),
      what: `${share === 1 ? '' : `${percent(share)} of `}a ${kind}`,
      source: titleOf(kind),
    }
  }
  return kind === 'server' ? ofServer(machine, givenShare) : ofVirtual(machine, givenShare)
}

function ofServer(
  { sockets = 1, memoryGigabytes = baseMemory, gpus }: EmbodiedMachine,
  givenShare: number | undefined,
): Found {
  const share = ratio(givenShare ?? 1)
  const further = Math.max(0, memoryGigabytes - baseMemory)
  const whole = addEstimates(bareServer(sockets, gpus), massOf('server_memory_gb'), further)
  const parts = `${sockets} processor${sockets === 1 ? '' : 's'} and ${memoryGigabytes.toFixed(0)} GB of memory`
  return {
    reserved: scaled(whole, share),
    what: `${share === 1 ? '' : `${percent(share)} of `}a server with ${parts}`,
    source: titleOf('server'),
  }
}

function ofVirtual(machine: EmbodiedMachine, givenShare: number | undefined): Found {
  const { logicalCpus, threadsPerSocket, memoryGigabytes = 0, gpus } = machine
  const sockets = rowOf('server_processors').value
  const known = threadsPerSocket === undefined ? undefined : threadsPerSocket * sockets
  const threads = known === undefined ? rowOf('server_threads') : exactly(known)
  const shareOf = (all: number): Ratio => ratio(givenShare ?? logicalCpus / all)
  const whole = bareServer(sockets, 0)
  const host = {
    value: grams(whole.value * shareOf(threads.value)),
    low: grams(whole.low * shareOf(threads.high)),
    high: grams(whole.high * shareOf(threads.low)),
  }
  const own = addEstimates(scaled(massOf('server_memory_gb'), memoryGigabytes), massOf('gpu'), gpus)
  const part =
    givenShare === undefined
      ? `${logicalCpus} of ${Math.max(threads.value, logicalCpus)} threads`
      : percent(shareOf(threads.value))
  return {
    reserved: addEstimates(host, own),
    what: `${part} of a server and ${memoryGigabytes.toFixed(0)} GB of memory`,
    source: titleOf('server'),
  }
}

/** Memory in GB that is part of the figure for a server. */
const baseMemory = 16

const bareServer = (sockets: number, gpus: number): Estimate<Grams> =>
  addEstimates(addEstimates(massOf('server'), massOf('server_processor'), sockets - 1), massOf('gpu'), gpus)

function rowOf(key: string): EmbodiedRow {
  const row = table().rows.find((entry) => entry.key === key)
  // scripts/build-data.js has made the table.
  if (row === undefined) throw new Error(`data/embodied.json has no ${key}`)
  return row
}

function massOf(key: string): Estimate<Grams> {
  const { value, low, high } = rowOf(key)
  return { value: fromKilograms(value), low: fromKilograms(low), high: fromKilograms(high) }
}

const titleOf = (key: string): string => table().sources[rowOf(key).source]?.title ?? rowOf(key).source

const scaled = (mass: Estimate<Grams>, by: Ratio | number): Estimate<Grams> =>
  mapEstimate(mass, (value) => grams(value * by))

const kilograms = ({ value }: Estimate<Grams>): string => `${Number(toKilograms(value).toPrecision(3))} kg`
const percent = (share: Ratio): string => `${Number((share * 100).toPrecision(3))} %`
