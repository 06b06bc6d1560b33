import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ProbeUnavailable } from '../../src/core/errors.ts'
import type { ProbeResult } from '../../src/core/probe.ts'
import { parseSmiRow } from '../../src/probes/nvidia-smi/smi-row.ts'
import { createNvidiaProbe, type NvidiaOptions, type NvidiaProbe } from '../../src/probes/nvidia.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'
import { fakeSysfs } from '../fixtures/fake-sysfs.ts'
import { fakeNvml } from '../fixtures/nvml/fake-nvml.ts'
import { domainOf } from '../fixtures/nvml/rig.ts'
import { documented } from '../fixtures/nvml/smi-output.ts'

/** A program that shows a card at once. */
const smi: NvidiaOptions = {
  program: 'nvidia-smi',
  run({ onRow }) {
    for (let round = 0; round < 2; round += 1) onRow(parseSmiRow(documented.a100)!)
    return { close: () => undefined }
  },
}

async function open(options: NvidiaOptions): Promise<{ probe: NvidiaProbe; read(): ProbeResult }> {
  const clock = fakeClock()
  const probe = createNvidiaProbe({ environment: {}, clock, ...options })
  onTestFinished(() => {
    probe.close?.()
  })
  await probe.opened
  return { probe, read: () => probe.read({ at: clock.now().monotonic, resumed: false }) }
}

const noLibrary = '/nowhere/libnvidia-ml.so.1'

function brokenLibrary(): string {
  const path = join(fakeSysfs().path, 'libnvidia-ml.so.1')
  writeFileSync(path, 'no library')
  return path
}

describe('NVIDIA cards', () => {
  test('are read by the library where it works', async () => {
    const { probe, read } = await open({ ...smi, load: fakeNvml(1).load })
    expect(probe.name).toBe('nvml')
    expect(read().readings).toMatchObject([{ domain: domainOf(0), probe: 'nvml', method: 'measured' }])
    expect(probe.refusals()).toEqual([])
  })

  test.each([
    ['is not there', () => noLibrary, 'there is no file /nowhere/libnvidia-ml.so.1'],
    ['cannot be loaded', brokenLibrary, 'cannot be loaded'],
  ])('are shown by nvidia-smi where the library %s, and why is told', async (_, libraryPath, reason) => {
    const { probe, read } = await open({ ...smi, libraryPath: libraryPath() })
    expect(probe.name).toBe('nvidia-smi')
    const { readings, problems } = read()
    expect(readings).toMatchObject([{ probe: 'nvidia-smi', method: 'integrated' }])
    expect(problems).toMatchObject([
      { subject: 'nvml_library_path', message: expect.stringContaining(reason) },
    ])
    expect(probe.refusals()).toMatchObject([
      { probe: 'nvml', reason: expect.stringContaining(reason) as string },
    ])
    expect(probe.processUse()).toEqual([])
  })

  test('wait for a driver that is down, and say what would help', async () => {
    const rig = fakeNvml(1)
    rig.initCode(9)
    const { probe, read } = await open({ ...smi, load: rig.load })
    expect(probe.name).toBe('nvml')
    expect(probe.refusals()).toMatchObject([{ probe: 'nvml', remedy: 'run: sudo modprobe nvidia' }])
    expect(read().readings).toEqual([])
  })

  test('that nothing can read are refused with both reasons', async () => {
    const nothing = { environment: { PATH: '/nowhere' } }
    expect(() => createNvidiaProbe({ ...nothing, libraryPath: noLibrary })).toThrow(ProbeUnavailable)
    const { probe } = await open({ ...nothing, libraryPath: brokenLibrary() })
    expect(probe.refusals().map((refusal) => refusal.probe)).toEqual(['nvml', 'nvidia-smi'])
  })
})
