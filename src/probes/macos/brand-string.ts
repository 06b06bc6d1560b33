/** What the name of a Mac's processor tells. */
export interface MacProcessor {
  /** As the table of processors spells it; absent where the name hides the part. */
  readonly modelName?: string
  readonly isVirtual: boolean
}

/**
 * `machdep.cpu.brand_string`, which `os.cpus()` gives as `model`: "Apple M2 Pro", on Intel "Intel(R) Core(TM) i9-9880H CPU @ 2.30GHz". In a
 * virtual machine "Apple M2 Pro (Virtual)" or "Apple processor"; for a program of x64 under Rosetta "VirtualApple @ 2.50GHz", which says
 * nothing of the part and is no virtual machine.
 */
export function parseBrandString(brand: string): MacProcessor {
  const isVirtual = /\(virtual\)|^apple processor$/i.test(brand.trim())
  const modelName = brand.replace(/\(virtual\)/i, '').trim()
  const isHidden = modelName === '' || /^(virtualapple|apple processor)\b/i.test(modelName)
  return { ...(isHidden ? {} : { modelName }), isVirtual }
}
