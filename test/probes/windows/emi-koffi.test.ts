import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ProbeUnavailable } from '../../../src/core/errors.ts'
import { seconds } from '../../../src/core/units.ts'
import { isAccessDenied } from '../../../src/probes/windows/emi-binding.ts'
import { createEmiBinding, loadEmiBinding, type Ffi } from '../../../src/probes/windows/emi-koffi.ts'
import { createEmiProbe } from '../../../src/probes/windows/emi-probe.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

test('on other systems it is refused without loading anything', () => {
  expect(() => loadEmiBinding('linux')).toThrow(ProbeUnavailable)
})

/** Undefined where it is not installed, which optional dependencies may be. */
function koffi(): Ffi | undefined {
  try {
    return createRequire(import.meta.url)('koffi') as Ffi
  } catch {
    return undefined
  }
}

function hasCompiler(): boolean {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

// The structures of 32-bit Windows differ, and the fake has those of 64 bits.
const canRun =
  koffi() !== undefined && process.platform === 'linux' && process.arch !== 'ia32' && hasCompiler()

describe.skipIf(!canRun)('the calls of Windows, answered by a library in C', () => {
  function library(): { path: string; ffi: Ffi } {
    const ffi = koffi()
    if (ffi === undefined) throw new Error('koffi was here a moment ago')
    const path = join(temporaryFolder(), 'fake-emi.so')
    const source = fileURLToPath(new URL('../../fixtures/fake-emi-library.c', import.meta.url))
    execFileSync('cc', ['-shared', '-fPIC', '-o', path, source])
    return { path, ffi }
  }

  test('devices are listed, opened, asked and closed, with nothing left open', () => {
    const { path, ffi } = library()
    const count = (name: string): unknown => ffi.load(path).func(`int32_t ${name}()`)()
    const binding = createEmiBinding({ ffi, setupapi: path, kernel32: path })
    expect(binding.devices()).toEqual([String.raw`\\?\ACPI#GenuineIntel#0`, String.raw`\\?\denied`])
    expect(count('fake_open_sets')).toBe(0)

    const probe = createEmiProbe({ binding })
    expect(count('fake_open_handles')).toBe(1)
    const { problems } = probe.read({ at: seconds(1), resumed: false })
    expect(problems[0]?.message).toContain('CreateFileW failed with Windows error 5 (access denied)')
    const { readings } = probe.read({ at: seconds(2), resumed: false })
    expect(readings).toMatchObject([{ domain: 'package-0', method: 'measured' }])
    // A billion picowatt-hours at each look.
    expect(readings[0]?.energy).toBeCloseTo(2 * 3.6, 9)
    probe.close?.()
    expect(count('fake_open_handles')).toBe(0)
  })

  test('a call that is refused is an error with the number of Windows', () => {
    const { path, ffi } = library()
    const binding = createEmiBinding({ ffi, setupapi: path, kernel32: path })
    let refused: unknown
    try {
      binding.open(String.raw`\\?\denied`)
    } catch (error) {
      refused = error
    }
    expect(isAccessDenied(refused)).toBe(true)
    const device = binding.open(String.raw`\\?\ACPI#GenuineIntel#0`)
    expect(() => device.control(0x99, 4)).toThrow('DeviceIoControl failed with Windows error 1')
    device.close()
    device.close()
  })
})
