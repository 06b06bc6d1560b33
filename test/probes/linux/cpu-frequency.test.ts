import { describe, expect, test } from 'vitest'
import { seconds } from '../../../src/core/units.ts'
import { openCpuFrequency } from '../../../src/probes/linux/cpu-frequency.ts'
import { fakeSysfs, type Tree } from '../../fixtures/fake-sysfs.ts'

const folder = (cpu: number): string => `devices/system/cpu/cpu${cpu}`

/** A CPU of the driver intel_pstate. */
const intel = (cpu: number, current: number, base = 2_000_000): Tree => ({
  [`${folder(cpu)}/cpufreq/scaling_cur_freq`]: `${current}\n`,
  [`${folder(cpu)}/cpufreq/base_frequency`]: `${base}\n`,
  [`${folder(cpu)}/cpufreq/scaling_driver`]: 'intel_pstate\n',
  [`${folder(cpu)}/cpufreq/cpuinfo_max_freq`]: '4000000\n',
})

const ratioOf = (files: Tree): number | undefined => openCpuFrequency(fakeSysfs(files).path)?.read(seconds(0))

describe('the frequency', () => {
  test('is the mean over the CPUs, each over its own base frequency', () => {
    expect(ratioOf({ ...intel(0, 1_000_000), ...intel(1, 3_000_000, 1_500_000) })).toBeCloseTo(1.25, 9)
  })

  test('has the nominal frequency of ACPI for a base, in MHz', () => {
    expect(
      ratioOf({
        [`${folder(0)}/cpufreq/scaling_cur_freq`]: '1700000\n',
        [`${folder(0)}/cpufreq/cpuinfo_max_freq`]: '4900000\n',
        [`${folder(0)}/cpufreq/scaling_driver`]: 'amd-pstate-epp\n',
        [`${folder(0)}/acpi_cppc/nominal_freq`]: '3400\n',
      }),
    ).toBeCloseTo(0.5, 9)
  })

  test('has the highest one for a base only with acpi-cpufreq, which leaves turbo out', () => {
    const files = {
      [`${folder(0)}/cpufreq/scaling_cur_freq`]: '1700000\n',
      [`${folder(0)}/cpufreq/cpuinfo_max_freq`]: '3400000\n',
      [`${folder(0)}/acpi_cppc/nominal_freq`]: '0\n',
    }
    expect(ratioOf({ ...files, [`${folder(0)}/cpufreq/scaling_driver`]: 'acpi-cpufreq\n' })).toBeCloseTo(
      0.5,
      9,
    )
    expect(ratioOf({ ...files, [`${folder(0)}/cpufreq/scaling_driver`]: 'cppc_cpufreq\n' })).toBeUndefined()
  })

  test.each([
    ['there is no such folder', {}],
    ['a virtual machine has no cpufreq', { [`${folder(0)}/topology/core_id`]: '0\n' }],
    ['the base is nonsense', { ...intel(0, 1_000_000), [`${folder(0)}/cpufreq/base_frequency`]: 'fast\n' }],
  ])('is unknown where %s', (_, files) => {
    expect(openCpuFrequency(fakeSysfs(files).path)).toBeUndefined()
  })

  test('comes from eight CPUs at most, spread over the machine', () => {
    const fast = new Set([0, 12, 24, 36, 48, 60, 72, 84])
    const files = Array.from({ length: 96 }, (_, cpu) => intel(cpu, fast.has(cpu) ? 2_000_000 : 1_000_000))
    expect(ratioOf(Object.assign({}, ...files) as Tree)).toBeCloseTo(1, 9)
  })

  test('is read once a second', () => {
    const tree = fakeSysfs(intel(0, 1_000_000))
    const frequency = openCpuFrequency(tree.path)
    expect(frequency?.read(seconds(10))).toBeCloseTo(0.5, 9)
    tree.write(`${folder(0)}/cpufreq/scaling_cur_freq`, '2000000\n')
    expect(frequency?.read(seconds(10.9))).toBeCloseTo(0.5, 9)
    expect(frequency?.read(seconds(11))).toBeCloseTo(1, 9)
  })

  test('of a CPU that says nothing or nonsense is left out; of none it is unknown', () => {
    const tree = fakeSysfs({ ...intel(0, 1_000_000), ...intel(1, 2_000_000) })
    const frequency = openCpuFrequency(tree.path)
    tree.write(`${folder(0)}/cpufreq/scaling_cur_freq`, '<unknown>\n')
    expect(frequency?.read(seconds(0))).toBeCloseTo(1, 9)
    tree.write(`${folder(1)}/cpufreq/scaling_cur_freq`, '0\n')
    expect(frequency?.read(seconds(2))).toBeUndefined()
    frequency?.close()
    expect(frequency?.read(seconds(4))).toBeUndefined()
  })

  test('is given up where reading it takes long', () => {
    let clock = 0
    const frequency = openCpuFrequency(fakeSysfs(intel(0, 1_000_000)).path, () => (clock += 10))
    const ratios = [0, 1, 2, 3, 4].map((at) => frequency?.read(seconds(at)))
    expect(ratios).toEqual([0.5, 0.5, 0.5, undefined, undefined])
  })
})
