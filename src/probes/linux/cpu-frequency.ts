import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FrequencySource } from '../../core/load.ts'
import type { Seconds } from '../../core/units.ts'
import { openPseudoFile, type PseudoFile } from './pseudo-file.ts'

/** So many CPUs stand for all; a few dozen microseconds a reading. */
const maxCpus = 8
const shareSeconds = 1
/**
 * Kernels before 5.18 sleep 10 ms for a CPU that has been idle (arch_freq_get_on_cpu in arch/x86/kernel/cpu/aperfmperf.c). The host
 * program must not wait for that: after so many readings of such a length in a row there are none for a while. One that was put aside by
 * the system now and then is no reason.
 */
const slowMilliseconds = 5
const slowReadings = 3
const pauseSeconds = 600

/**
 * How fast the processors run, from `<sysfs>/devices/system/cpu/cpuN/cpufreq/scaling_cur_freq` (kHz) of at most eight CPUs spread over
 * the machine, read once a second at most. The frequency that the TDP is meant for comes from `cpufreq/base_frequency` (intel_pstate),
 * from `acpi_cppc/nominal_freq` (MHz; AMD, ARM), or, with the driver acpi-cpufreq, from `cpuinfo_max_freq`, which leaves turbo out.
 * Needs no permission. `undefined` where no CPU tells both, as in most virtual machines.
 *
 * @param now milliseconds of a monotonic clock, to notice readings that take long
 */
export function openCpuFrequency(
  sysfsPath: string,
  now: () => number = () => performance.now(),
): FrequencySource | undefined {
  const cpus = findCpus(join(sysfsPath, 'devices/system/cpu'))
  if (cpus.length === 0) return undefined
  let last: { at: Seconds; ratio: number | undefined } | undefined
  let slow = 0

  return {
    read(at) {
      if (slow >= slowReadings && at - (last?.at ?? at) < pauseSeconds) return undefined
      if (last !== undefined && at - last.at < shareSeconds && at >= last.at) return last.ratio
      const begin = now()
      const ratios = cpus.flatMap(({ current, base }) => {
        const frequency = readInteger(current)
        return frequency === undefined || frequency <= 0 ? [] : [frequency / base]
      })
      slow = now() - begin > slowMilliseconds ? slow + 1 : 0
      const ratio =
        ratios.length === 0 ? undefined : ratios.reduce((sum, one) => sum + one, 0) / ratios.length
      last = { at, ratio }
      return ratio
    },
    close() {
      for (const { current } of cpus) current.close()
    },
  }
}

interface Cpu {
  readonly current: PseudoFile
  /** In kHz. */
  readonly base: number
}

function findCpus(folder: string): readonly Cpu[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch {
    // No sysfs, or none that may be read: frequencies are unknown, and the model does without.
    return []
  }
  const numbers = names
    .flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
  const step = Math.max(1, numbers.length / maxCpus)
  const chosen = numbers.filter((_, index) => Math.floor(index / step) > Math.floor((index - 1) / step))
  return chosen.flatMap((number) => {
    const cpu = join(folder, `cpu${number}`)
    const base = baseFrequency(cpu)
    if (base === undefined) return []
    try {
      return [{ current: openPseudoFile(join(cpu, 'cpufreq/scaling_cur_freq')), base }]
    } catch {
      // A CPU that is off, or may not be asked: the others stand for it.
      return []
    }
  })
}

/** In kHz. */
function baseFrequency(cpu: string): number | undefined {
  const named = positive(join(cpu, 'cpufreq/base_frequency'))
  if (named !== undefined) return named
  const nominal = positive(join(cpu, 'acpi_cppc/nominal_freq'))
  if (nominal !== undefined) return nominal * 1000
  return textOf(join(cpu, 'cpufreq/scaling_driver')) === 'acpi-cpufreq'
    ? positive(join(cpu, 'cpufreq/cpuinfo_max_freq'))
    : undefined
}

function positive(path: string): number | undefined {
  const value = Number(textOf(path) ?? NaN)
  return Number.isFinite(value) && value > 0 ? value : undefined
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    // Not every driver has every file.
    return undefined
  }
}

function readInteger(file: PseudoFile): number | undefined {
  try {
    return file.integer()
  } catch {
    // The CPU was switched off.
    return undefined
  }
}
