import { toGibibytes } from '../../core/units.ts'

/** A part of the memory that is plugged in, or soldered on. */
export interface MemoryModule {
  /** What it is to whoever told of it: a module, or one rank of chips on a module that is not told apart. */
  readonly part: 'module' | 'rank'
  readonly bytes: number
  /** Generation of its chips, such as `DDR4` or `LPDDR5`; `undefined` where nobody says. */
  readonly kind: string | undefined
  /** Millions of transfers a second that it runs at; `undefined` where nobody says. */
  readonly megatransfersPerSecond: number | undefined
}

/** More kinds of modules than this in one machine are told by their sum. */
const kindsTold = 3

/** Memory modules in words: `4 modules of 16 GiB DDR4 at 3200 MT/s`. Each kind of module apart, if there are several. */
export function describeModules(modules: readonly MemoryModule[]): string {
  const counts = new Map<string, number>()
  for (const { part, ...module } of modules) {
    const kind = describeKind(module)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    if (counts.size > kindsTold) return `${inGibibytes(totalBytes(modules))} in ${modules.length} ${part}s`
  }
  const { part = 'module' } = modules[0] ?? {}
  return [...counts].map(([kind, count]) => `${count} ${part}${count === 1 ? '' : 's'} of ${kind}`).join(', ')
}

/** Bytes of all of them together. */
export const totalBytes = (modules: readonly MemoryModule[]): number =>
  modules.reduce((sum, { bytes }) => sum + bytes, 0)

/** Whether all of them are of the low-power kinds that phones and thin laptops have, mostly soldered on. */
export const areLowPower = (modules: readonly MemoryModule[]): boolean =>
  modules.length > 0 && modules.every(({ kind }) => kind?.startsWith('LPDDR') === true)

function describeKind({ bytes, kind, megatransfersPerSecond }: Omit<MemoryModule, 'part'>): string {
  const speed = megatransfersPerSecond === undefined ? undefined : `at ${megatransfersPerSecond} MT/s`
  return [inGibibytes(bytes), kind, speed].filter((word) => word !== undefined).join(' ')
}

const inGibibytes = (bytes: number): string => `${Number(toGibibytes(bytes).toFixed(1))} GiB`
