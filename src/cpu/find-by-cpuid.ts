import { microarchitectureTable, type MicroarchitectureRow } from './tables.ts'

/** What an x86 processor says it is: `cpu family`, `model` and `stepping` of `/proc/cpuinfo`, in decimal. */
export interface X86Id {
  /** `GenuineIntel` or `AuthenticAMD`. */
  readonly vendor: string
  readonly family: number
  readonly model: number
  /** Tells Skylake, Cascade Lake and Cooper Lake servers apart. */
  readonly stepping?: number | undefined
}

/** What an Arm core says it is: the `CPU part` of `/proc/cpuinfo`, such as `0xd0c`. */
export interface ArmId {
  readonly midrPart: string | number
  /** The `CPU implementer`; only 0x41, Arm itself, is known. @default 0x41 */
  readonly midrImplementer?: string | number | undefined
}

/** Implementer code of Arm Limited in MIDR_EL1 (Arm Architecture Reference Manual, D24.2). */
const armImplementer = 0x41

/** The microarchitecture of an identification. Without a needed stepping there is a doubt, and no row. */
export function findByCpuid(id: X86Id | ArmId): MicroarchitectureRow | undefined {
  const matches = microarchitectureTable().rows.filter((row) =>
    'midrPart' in id ? isArmCore(row, id) : isX86(row, id),
  )
  return matches.length === 1 ? matches[0] : undefined
}

/** A core by the name that libuv gives it in `os.cpus()`: `Neoverse-N1`, `Cortex-A72`. */
export function findByCoreName(name: string): MicroarchitectureRow | undefined {
  const word = foldCoreName(name)
  return microarchitectureTable().rows.find(
    ([vendor, , , , , microarchitecture]) => vendor === 'ARM' && foldCoreName(microarchitecture) === word,
  )
}

const foldCoreName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/^arm /, '')
    .replace(/[\s-]+/g, ' ')

/**
 * The identification that a text spells: `GenuineIntel 6/85/7`, or the `PROCESSOR_IDENTIFIER` of Windows
 * (`Intel64 Family 6 Model 85 Stepping 7, GenuineIntel`).
 */
export function parseCpuid(text: string): X86Id | undefined {
  const short = /^(?<vendor>[a-z]+) +(?<family>\d+)\/(?<model>\d+)(\/(?<stepping>\d+))?$/i
  const windows =
    /^\S+ family (?<family>\d+) model (?<model>\d+) stepping (?<stepping>\d+), *(?<vendor>[a-z]+)$/i
  const groups = (short.exec(text.trim()) ?? windows.exec(text.trim()))?.groups
  if (groups === undefined) return undefined
  const { vendor = '', family, model, stepping } = groups
  return {
    vendor,
    family: Number(family),
    model: Number(model),
    stepping: stepping === undefined ? undefined : Number(stepping),
  }
}

function isArmCore([vendor, , part]: MicroarchitectureRow, { midrPart, midrImplementer }: ArmId): boolean {
  return (
    vendor === 'ARM' &&
    part === toNumber(midrPart) &&
    toNumber(midrImplementer ?? armImplementer) === armImplementer
  )
}

/** Hexadecimal with or without `0x`, as tools print it. */
const toNumber = (code: string | number): number =>
  typeof code === 'number' ? code : Number.parseInt(code.trim().replace(/^0x/i, ''), 16)

function isX86([vendor, family, model, from, to]: MicroarchitectureRow, id: X86Id): boolean {
  if (vendor.toLowerCase() !== id.vendor.trim().toLowerCase() || family !== id.family || model !== id.model)
    return false
  if (from === null || to === null || id.stepping === undefined) return true
  return id.stepping >= from && id.stepping <= to
}
