import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ProbeUnavailable } from '../../../src/core/errors.ts'
import { loadNvml } from '../../../src/probes/nvml/koffi-binding.ts'
import { findNvmlLibrary, type NvmlLibraryOptions } from '../../../src/probes/nvml/nvml-library.ts'
import { createNvmlProbe } from '../../../src/probes/nvml/nvml-probe.ts'
import { fakeSysfs } from '../../fixtures/fake-sysfs.ts'
import { domainOf } from '../../fixtures/nvml/rig.ts'
import { compiledLibrary, compiledRig, hasCompiler, openProbe } from '../../fixtures/nvml/rigs.ts'

function refusal(action: () => unknown): ProbeUnavailable {
  try {
    action()
  } catch (error) {
    if (error instanceof ProbeUnavailable) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('the NVML library is looked for', () => {
  const find = (there: readonly string[], options: NvmlLibraryOptions = {}): string =>
    findNvmlLibrary({
      platform: 'linux',
      environment: {},
      exists: (path) => there.includes(path),
      loaderKnows: () => false,
      ...options,
    })

  test.each([
    '/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1',
    '/usr/lib64/libnvidia-ml.so.1',
    '/usr/local/nvidia/lib64/libnvidia-ml.so.1',
    '/usr/lib/wsl/lib/libnvidia-ml.so.1',
    '/run/opengl-driver/lib/libnvidia-ml.so.1',
  ])('at %s', (path) => {
    expect(find([path])).toBe(path)
  })

  test('where LD_LIBRARY_PATH says, before the usual places', () => {
    const own = '/opt/driver/libnvidia-ml.so.1'
    const environment = { LD_LIBRARY_PATH: '/nowhere:/opt/driver' }
    expect(find([own, '/usr/lib64/libnvidia-ml.so.1'], { environment })).toBe(own)
  })

  test('by name where the loader of the system knows it', () => {
    expect(find([], { loaderKnows: (name) => name === 'libnvidia-ml.so.1' })).toBe('libnvidia-ml.so.1')
  })

  test.each(['C:\\Windows\\System32\\nvml.dll', 'C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvml.dll'])(
    'on Windows at %s',
    (path) => {
      expect(find([path], { platform: 'win32' })).toBe(path)
    },
  )

  test('nowhere else where nvml_library_path names it', () => {
    const usual = '/usr/lib64/libnvidia-ml.so.1'
    expect(find(['/opt/a.so', usual], { libraryPath: '/opt/a.so' })).toBe('/opt/a.so')
    const { message, remedy } = refusal(() => find([usual], { libraryPath: '/opt/b.so' }))
    expect(message).toBe('nvml_library_path: there is no file /opt/b.so')
    expect(remedy).toContain('leave the option out')
  })

  test('and where it is not, that is a reason with what would help', () => {
    const { message, remedy } = refusal(() => find([]))
    expect(message).toContain('libnvidia-ml.so.1 is not in the usual places')
    expect(remedy).toContain('docker run --gpus all')
    expect(refusal(() => find([], { platform: 'darwin' })).message).toBe(
      'there is no NVML library for darwin',
    )
  })
})

describe.skipIf(!hasCompiler)('a library in C', () => {
  test('that has not all functions tells what it can, and why not the rest', async () => {
    const rig = compiledRig(1, compiledLibrary('-DWITHOUT_ENERGY'))
    rig.run(0, 42, 50)
    const probe = await openProbe(rig)
    expect(probe.devices()[0]).toMatchObject({
      domain: domainOf(0),
      method: 'integrated',
      driver: '550.54.15',
    })
    expect(probe.processUse()).toEqual([{ domain: domainOf(0), by: 'presence', shares: new Map([[42, 1]]) }])
  })

  test('that lists more processes than there was room for is asked again', async () => {
    const rig = compiledRig(1)
    for (let pid = 1; pid <= 300; pid += 1) rig.run(0, pid, 1)
    const [use] = (await openProbe(rig)).processUse()
    expect(use?.shares.size).toBe(300)
    rig.failSamples(0, 3)
    expect((await openProbe(rig)).processUse()[0]).toMatchObject({ by: 'presence' })
  })

  test('counts up to 2^53 millijoules to the last one', async () => {
    const rig = compiledRig(1)
    const nvml = await loadNvml(compiledLibrary())
    await nvml.init()
    const device = await nvml.device(0)
    for (const value of [0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n]) {
      rig.set(0, 'energyMillijoules', value)
      expect(device.energyMillijoules()).toBe(Number(value))
    }
    await nvml.shutdown()
  })
})

test('a file that is no library is a reason, when it is opened', async () => {
  const path = join(fakeSysfs().path, 'libnvidia-ml.so.1')
  writeFileSync(path, 'no library')
  const probe = createNvmlProbe({ libraryPath: path, environment: {} })
  await probe.opened
  expect(probe.refusal()?.reason).toContain(`${path} cannot be loaded`)
  probe.close?.()
})

describe.skipIf(!hasCompiler)('a driver that takes a second to start', () => {
  const program = fileURLToPath(new URL('../../fixtures/programs/opens-nvml.js', import.meta.url))
  const run = (doing: string): { status: number | null; stderr: string; said: Record<string, number>[] } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, compiledLibrary(), doing], {
      encoding: 'utf8',
      env: { ...process.env, FAKE_NVML_DEVICES: '8', FAKE_NVML_INIT_MS: '1000' },
    })
    const said = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, number>)
    return { status, stderr, said }
  }

  test('does not hold up the program, which has its cards then', () => {
    const { said, stderr } = run('wait')
    expect(stderr).toBe('')
    expect(said[0]).toMatchObject({ cards: 8 })
    expect(said[0]?.['opened']).toBeGreaterThan(1000)
    // Loading koffi is the longest turn, 15 ms on an idle machine; a start that held up the program would take them all.
    expect(said[0]?.['longest']).toBeLessThan(700)
  })

  test.each(['nothing', 'close'])(
    'does not keep a program that ends meanwhile longer than its call (%s)',
    (doing) => {
      const { status, said, stderr } = run(doing)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(said[0]?.['ended']).toBeLessThan(3000)
    },
  )

  test('lets a program exit with its own status', () => {
    const { status, said, stderr } = run('exit')
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' })
    expect(said[0]?.['ended']).toBeLessThan(1000)
  })
})
