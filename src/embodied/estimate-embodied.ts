import type { Embodied } from '../core/embodied.ts'
import { givenByUser } from '../core/emissions-data.ts'
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
  /** Hardware threads of one processor, where it is known by name. Asked for virtual machines alone. */
  readonly threadsPerSocket: () => number | undefined
  readonly memoryGigabytes: number | undefined
  readonly gpus: number
}

const table = lazyTable<EmbodiedRow>('embodied')

/**
 * What making a machine has emitted: the user's figure, or else one for its kind out of published ones, with an interval as wide as they
 * differ. A rack server is put together as Teads does (see `data/embodied.json`): 1000 kg, and more for each further processor, each GB of
 * memory and each graphics processor; drives are left out. A virtual machine has its threads' share of a server with two processors, whose
 * memory and graphics processors are shared out like its threads.
 *
 * @returns `undefined` where nobody says what the machine is
 */
export function estimateEmbodied(given: GivenEmbodied, machine: EmbodiedMachine): Embodied | undefined {
  const { embodiedEmissionsKg: kg, embodiedLifespanYears: years, embodiedShare } = given
  const threads = ownPart(machine)
  // Whoever tells the share has no doubt of it.
  const own = embodiedShare === undefined ? threads : exactly(threads.value)
  const share = embodiedShare === undefined ? own : exactly(ratio(embodiedShare))
  const whole = kg === undefined ? wholeMachine(machine, own) : exactly(fromKilograms(kg))
  if (whole === undefined) return undefined
  const reserved = combine(whole, share, (mass, part) => grams(mass * part))
  const what = kg === undefined ? `${nameOf(machine)}, ${kilograms(reserved)}` : `${kg} kg, as configured`
  return {
    reserved,
    lifespan: fromYears(years),
    basis: `${partOf(machine, embodiedShare)}${what}, over ${years} ${years === 1 ? 'year' : 'years'}`,
    source:
      kg === undefined
        ? titleOf(machine.kind === 'virtual' ? 'server' : (machine.kind ?? 'server'))
        : givenByUser,
  }
}

/** All of a machine, or the threads that a virtual one has of its server's. */
function ownPart(machine: EmbodiedMachine): Estimate<Ratio> {
  if (machine.kind !== 'virtual') return exactly(ratio(1))
  const { value, low, high } = serverThreads(machine)
  const part = (threads: number): Ratio => ratio(machine.logicalCpus / threads)
  return { value: part(value), low: part(high), high: part(low) }
}

function serverThreads(machine: EmbodiedMachine): Pick<EmbodiedRow, 'value' | 'low' | 'high'> {
  const perSocket = machine.threadsPerSocket()
  if (perSocket === undefined) return rowOf('server_threads')
  const all = perSocket * rowOf('server_processors').value
  return { value: all, low: all, high: all }
}

function wholeMachine(machine: EmbodiedMachine, own: Estimate<Ratio>): Estimate<Grams> | undefined {
  const { kind, sockets = 1, memoryGigabytes, gpus } = machine
  if (kind === undefined) return undefined
  if (kind === 'laptop' || kind === 'desktop') return massOf(kind)
  const isPart = kind === 'virtual'
  const processors = isPart ? rowOf('server_processors').value : sockets
  const bare = addEstimates(massOf('server'), massOf('server_processor'), processors - 1)
  const memory = isPart ? (memoryGigabytes ?? 0) : Math.max(0, (memoryGigabytes ?? baseMemory) - baseMemory)
  const fitted = addEstimates(scaled(massOf('server_memory_gb'), memory), massOf('gpu'), gpus)
  return combine(
    bare,
    combine(fitted, own, (mass, part) => grams(mass / part)),
    (a, b) => grams(a + b),
  )
}

/** Memory in GB that is part of the figure for a server. */
const baseMemory = 16

/** `2 of 72 threads of `, `25 % of `, or nothing. */
function partOf(machine: EmbodiedMachine, given: number | undefined): string {
  if (given !== undefined) return given === 1 ? '' : `${Number((given * 100).toPrecision(3))} % of `
  if (machine.kind !== 'virtual') return ''
  return `${machine.logicalCpus} of ${Math.max(serverThreads(machine).value, machine.logicalCpus)} threads of `
}

function nameOf({ kind, sockets = 1, memoryGigabytes, gpus }: EmbodiedMachine): string {
  const memory = memoryGigabytes === undefined ? '' : ` and ${memoryGigabytes.toFixed(0)} GB of memory`
  const cards = gpus === 0 ? '' : ` and ${gpus} graphics card${gpus === 1 ? '' : 's'}`
  if (kind === 'virtual') return `a server${memory}${cards}`
  return kind === 'server'
    ? `a server with ${sockets} processor${sockets === 1 ? '' : 's'}${memory}${cards}`
    : `a ${kind}`
}

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

const scaled = (mass: Estimate<Grams>, by: number): Estimate<Grams> =>
  mapEstimate(mass, (value) => grams(value * by))

const combine = <A extends number, B extends number>(
  one: Estimate<A>,
  other: Estimate<B>,
  join: (a: A, b: B) => Grams,
): Estimate<Grams> => ({
  value: join(one.value, other.value),
  low: join(one.low, other.low),
  high: join(one.high, other.high),
})

const kilograms = ({ value }: Estimate<Grams>): string => `${Number(toKilograms(value).toPrecision(3))} kg`
