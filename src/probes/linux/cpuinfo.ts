/** Who the processor says it is, from `<procfs>/cpuinfo`. What the file does not tell is absent. */
export interface CpuInfo {
  readonly modelName?: string
  readonly vendor?: string
  readonly family?: number
  readonly model?: number
  readonly stepping?: number
  /** ARM: the part number of the MIDR register, such as `0xd0c`. */
  readonly midrPart?: string
  /** ARM: the implementer of the MIDR register, `0x41` for Arm itself. */
  readonly midrImplementer?: string
  readonly sockets?: number
  readonly logicalCpus: number
  /** True where the processor says that it runs under a hypervisor. */
  readonly isVirtual: boolean
}

/** Parses the text of `/proc/cpuinfo` of x86 and ARM kernels. */
export function parseCpuInfo(text: string): CpuInfo {
  const first = (key: string): string | undefined =>
    new RegExp(`^${key}[ \\t]*:[ \\t]*(\\S.*)$`, 'm').exec(text)?.[1]?.trim()
  const number = (key: string): number | undefined => {
    const value = Number(first(key) ?? NaN)
    return Number.isInteger(value) ? value : undefined
  }
  const packages = new Set([...text.matchAll(/^physical id[ \t]*: *(\d+)/gm)].map((match) => match[1]))
  return definedOnly({
    modelName: first('model name') ?? first('Model'),
    vendor: first('vendor_id'),
    family: number('cpu family'),
    model: number('model'),
    stepping: number('stepping'),
    midrPart: first('CPU part'),
    midrImplementer: first('CPU implementer'),
    sockets: packages.size > 0 ? packages.size : undefined,
    logicalCpus: [...text.matchAll(/^processor[ \t]*:/gm)].length,
    isVirtual: /^flags[ \t]*:.*\bhypervisor\b/m.test(text),
  })
}

/** The same without the keys that have no value. */
function definedOnly<T extends { logicalCpus: number; isVirtual: boolean }>(
  facts: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
