import type { MemoryModule } from './memory-module.ts'

/**
 * Memory modules by the tables of the firmware: the structures "Memory Device" (type 17) of DMTF DSP0134, System Management BIOS
 * Reference Specification 3.7, §7.18. Empty sockets, persistent memory and chips for other purposes (firmware, graphics) do not count,
 * nor do modules of unknown size. A table that is cut off or makes no sense tells what stands before that; none ever throws.
 *
 * What a virtual machine is told is its hypervisor's invention; where the table says that it is one (§7.1.2.2), there are no modules.
 *
 * @param table as in `<sysfs>/firmware/dmi/tables/DMI`: structure after structure, without the entry point
 */
export function parseMemoryModules(table: Buffer): readonly MemoryModule[] {
  const modules: MemoryModule[] = []
  for (const structure of structuresOf(table)) {
    if (structure[0] === biosInformation && isOfVirtualMachine(structure)) return []
    const module = structure[0] === memoryDevice ? toModule(structure) : undefined
    if (module !== undefined) modules.push(module)
  }
  return modules
}

const biosInformation = 0
const memoryDevice = 17
const endOfTable = 127

/** Type, length and handle. */
const headerLength = 4
/** After the fields of a structure come its strings, each with a zero byte at its end, and one more at the end of all; at least two. */
const endOfStrings = Buffer.from([0, 0])

/** The fields of each structure, from its header on, without its strings. */
function* structuresOf(table: Buffer): Generator<Buffer> {
  let at = 0
  while (at + headerLength <= table.length) {
    const length = table[at + 1] ?? 0
    if (table[at] === endOfTable || length < headerLength || at + length > table.length) return
    yield table.subarray(at, at + length)
    const end = table.indexOf(endOfStrings, at + length)
    if (end < 0) return
    at = end + endOfStrings.length
  }
}

/** Bit 4 of the second extension byte of the BIOS's characteristics. */
const isOfVirtualMachine = (bios: Buffer): boolean => ((bios[0x13] ?? 0) & 0x10) !== 0

function toModule(device: Buffer): MemoryModule | undefined {
  const bytes = sizeOf(device)
  const type = device[0x12] ?? 0
  if (bytes === undefined || bytes === 0 || otherPurposes.has(type)) return undefined
  if (persistent.has(device[0x28] ?? 0)) return undefined
  return { part: 'module', bytes, kind: kinds[type], megatransfersPerSecond: speedOf(device) }
}

/** Memory types (§7.18.2) that are worth a name. */
const kinds: Readonly<Partial<Record<number, string>>> = {
  0x12: 'DDR',
  0x13: 'DDR2',
  0x14: 'DDR2',
  0x18: 'DDR3',
  0x1a: 'DDR4',
  0x1b: 'LPDDR',
  0x1c: 'LPDDR2',
  0x1d: 'LPDDR3',
  0x1e: 'LPDDR4',
  0x22: 'DDR5',
  0x23: 'LPDDR5',
}

/**
 * Memory types that are no main memory, or not power of its own: of graphics and caches (05h, 06h), ROM and flash (08h to 0Ch), a
 * logical non-volatile device (1Fh), and HBM (20h, 21h, 24h), which sits on a processor's package and counts with that.
 */
const otherPurposes = new Set([0x05, 0x06, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x1f, 0x20, 0x21, 0x24])

/** Memory technologies (§7.18.6): NVDIMM-N, -F and -P, Intel Optane. Linux has them as disks, not as memory. */
const persistent = new Set([4, 5, 6, 7])

const kibibyte = 2 ** 10
const mebibyte = 2 ** 20
const unknown = 0xffff

/** A number of MiB, or of KiB where the highest bit is set; from 32 GiB - 1 MiB on in a field of its own. Zero is an empty socket. */
function sizeOf(device: Buffer): number | undefined {
  const size = word(device, 0x0c)
  if (size === undefined || size === unknown) return undefined
  if (size === 0x7fff) {
    const extended = doubleWord(device, 0x1c)
    return extended === undefined ? undefined : extended * mebibyte
  }
  return size < 0x8000 ? size * mebibyte : (size - 0x8000) * kibibyte
}

/** The speed that it was configured for, else the highest that it can do. */
const speedOf = (device: Buffer): number | undefined =>
  speedAt(device, 0x20, 0x58) ?? speedAt(device, 0x15, 0x54)

function speedAt(device: Buffer, offset: number, extendedOffset: number): number | undefined {
  const speed = word(device, offset)
  const told = speed === unknown ? doubleWord(device, extendedOffset) : speed
  return told === 0 ? undefined : told
}

/** A field of two bytes; `undefined` in structures of older versions, which end before it. */
const word = (structure: Buffer, offset: number): number | undefined =>
  offset + 2 <= structure.length ? structure.readUInt16LE(offset) : undefined

/** A field of four bytes, of which the highest bit is reserved in all that are read here. */
const doubleWord = (structure: Buffer, offset: number): number | undefined =>
  offset + 4 <= structure.length ? structure.readUInt32LE(offset) & 0x7fff_ffff : undefined
