import { join } from 'node:path'
import { ratio, type Ratio } from '../../core/units.ts'
import { isAsleep } from './device-sleep.ts'
import { openPseudoFile, type PseudoFile } from './pseudo-file.ts'

/** How busy a graphics processor is. What its driver does not tell is absent. */
export interface GpuVitals {
  readonly utilisation?: Ratio
  readonly memoryUsedBytes?: number
  readonly memoryTotalBytes?: number
}

/** Reads them, from files that stay open. */
export interface GpuVitalsSource {
  read(): GpuVitals
  close(): void
}

/**
 * `gpu_busy_percent` (0 to 100), `mem_info_vram_used` and `mem_info_vram_total` (bytes) of amdgpu (kernel documentation:
 * gpu/amdgpu/driver-misc.rst and thermal.rst). A card that sleeps is busy with nothing, and is not woken.
 */
export function openAmdGpuVitals(device: string): GpuVitalsSource {
  const files = new Map<string, PseudoFile>()
  function integer(name: string): number | undefined {
    try {
      let file = files.get(name)
      if (file === undefined) {
        file = openPseudoFile(join(device, name))
        files.set(name, file)
      }
      return file.integer()
    } catch {
      // Older drivers do not tell it, and a card may leave: unknown, not zero.
      return undefined
    }
  }
  return {
    read() {
      if (isAsleep(device)) return { utilisation: ratio(0) }
      const percent = integer('gpu_busy_percent')
      const memoryUsedBytes = integer('mem_info_vram_used')
      const memoryTotalBytes = integer('mem_info_vram_total')
      return {
        ...(percent === undefined ? {} : { utilisation: ratio(percent / 100) }),
        ...(memoryUsedBytes === undefined ? {} : { memoryUsedBytes }),
        ...(memoryTotalBytes === undefined ? {} : { memoryTotalBytes }),
      }
    },
    close() {
      for (const file of files.values()) file.close()
    },
  }
}
