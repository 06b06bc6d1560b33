import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fromCode } from '../src/config/option-source.ts'
import type { GivenOptions } from '../src/config/option-table.ts'
import { resolveOptions } from '../src/config/resolve-options.ts'
import type { EmissionsData } from '../src/core/emissions-data.ts'
import { renderReport } from '../src/report.ts'
import { startRun, type Started } from '../src/start.ts'
import { fakeClock, type FakeClock } from './fixtures/fake-clock.ts'
import { fakeMonitor } from './fixtures/fake-hwmon.ts'
import { fakeSysfs, type FakeTree } from './fixtures/fake-sysfs.ts'
import { amdApu, amdDie, intelXe } from './fixtures/monitors.ts'
import { compiledLibrary, compiledRig, hasCompiler } from './fixtures/nvml/rigs.ts'
import { uuidOf, type NvmlRig } from './fixtures/nvml/rig.ts'
import { fakeMachine } from './tracker/fake-machine.ts'

/** A run on a machine whose cards the test holds in its hands. */
async function running(
  given: GivenOptions = {},
  cards = 2,
): Promise<{ run: Started; rig: NvmlRig; clock: FakeClock }> {
  const rig = compiledRig(cards)
  const clock = fakeClock()
  const { options } = resolveOptions(
    fromCode({ ...fakeMachine().options, nvmlLibraryPath: compiledLibrary(), outputMethods: [], ...given }),
  )
  const run = startRun(options, { log: () => undefined, clock })
  onTestFinished(async () => {
    await run.run.stop()
  })
  await run.survey.gpus.opened
  clock.advance(1)
  return { run, rig, clock }
}

const gpuOf = (data: EmissionsData): EmissionsData['components'][number] =>
  data.components.find(({ component }) => component === 'gpu') ?? expect.fail('there is no GPU in it')

describe.runIf(hasCompiler)('graphics cards of NVIDIA', () => {
  it('are measured by their own counters, and named', async () => {
    const { run, rig, clock } = await running()
    rig.set(0, 'energyMillijoules', 1_000_000 + 36_000)
    rig.set(1, 'energyMillijoules', 1_000_000 + 4000)
    rig.set(0, 'utilisationPercent', 80)
    rig.set(1, 'utilisationPercent', 20)
    clock.advance(1)
    clock.advance(1)
    const data = run.run.record()
    expect(data.gpuEnergy).toBeCloseTo(40 / 3.6e6, 12)
    expect(data).toMatchObject({ gpuCount: 2, gpuModel: '2 x NVIDIA A100-SXM4-80GB' })
    expect(gpuOf(data)).toMatchObject({ method: 'measured', source: 'nvml' })
    expect(gpuOf(data).basis).toContain('NVIDIA A100-SXM4-80GB, measured by nvml')
    // Idle for one second of three, then busy for 50 % in the mean.
    expect(data.gpuUtilizationPercent).toBeCloseTo((2 / 3) * 50, 6)
    expect(renderReport(run, data)).toMatch(/^ {2}GPU +40\.0 J/m)
  })

  it('count as far as gpu_ids chooses them', async () => {
    const { run, rig, clock } = await running({ gpuIds: [uuidOf(1).slice(0, 12)] })
    rig.set(0, 'energyMillijoules', 1_000_000 + 36_000)
    rig.set(1, 'energyMillijoules', 1_000_000 + 4000)
    clock.advance(1)
    const data = run.run.record()
    expect(data.gpuEnergy).toBeCloseTo(4 / 3.6e6, 12)
    expect(data.gpuCount).toBe(1)
  })

  it('are given to a process tree by the share of its processes in their work', async () => {
    const { run, rig, clock } = await running({ trackingMode: 'process', procfsPath: '/proc' })
    rig.run(0, process.pid, 60)
    rig.run(0, 4_194_300, 20)
    rig.set(0, 'energyMillijoules', 1_000_000 + 40_000)
    clock.advance(1)
    const data = run.run.record()
    expect(gpuOf(data).energyJoules).toBeCloseTo(30, 6)
  })

  it('that are lost in the middle of a run make no energy, and are told', async () => {
    const { run, rig, clock } = await running()
    rig.set(0, 'energyMillijoules', 1_000_000 + 10_000)
    clock.advance(1)
    run.run.record()
    rig.lose(0, 15)
    clock.advance(1)
    const data = run.run.record()
    expect(gpuOf(data).energyJoules).toBeCloseTo(10, 6)
    expect(data.problems.map(({ subject }) => subject)).toContain(`gpu:${uuidOf(0)}`)
  })

  it('that there are none of, by the library, use nothing', async () => {
    const { run } = await running({}, 0)
    const data = run.run.record()
    expect(data).toMatchObject({ gpuCount: 0, gpuEnergy: 0 })
    expect(data.components.map(({ component }) => component)).not.toContain('gpu')
  })
})

it('a library of NVIDIA that is named and not there is unmeasured energy, not none', async () => {
  const machine = fakeMachine()
  const sysfs = fakeSysfs({ 'bus/pci/devices/0000:00:00.0/class': '0x060000\n' })
  const nvmlLibraryPath = join(machine.folder, 'libnvidia-ml.so.1')
  const { options } = resolveOptions(
    fromCode({
      ...machine.options,
      sysfsPath: sysfs.path,
      nvmlLibraryPath,
      outputMethods: [],
      forceCpuPower: 10,
    }),
  )
  const run = startRun(options, { log: () => undefined, clock: fakeClock() })
  await run.survey.gpus.opened
  const data = await run.run.stop()
  expect(data.gpuEnergy).toBeUndefined()
  expect(data.gpuCount).toBeUndefined()
  expect(gpuOf(data).method).toBe('unmeasured')
  expect(data.problems).toContainEqual(
    expect.objectContaining({
      subject: 'nvml_library_path',
      message: expect.stringContaining(`nvml_library_path: there is no file ${nvmlLibraryPath}`),
    }),
  )
})

/** A run on a machine whose bus and monitors are files. */
async function runningOn(
  sysfs: FakeTree,
  given: GivenOptions = {},
): Promise<{ data: EmissionsData; run: Started; clock: FakeClock }> {
  const clock = fakeClock()
  const { options } = resolveOptions(
    fromCode({
      ...fakeMachine().options,
      sysfsPath: sysfs.path,
      outputMethods: [],
      forceCpuPower: 10,
      ...given,
    }),
  )
  const run = startRun(options, { log: () => undefined, clock })
  onTestFinished(async () => {
    await run.run.stop()
  })
  await run.survey.gpus.opened
  clock.advance(1)
  return { data: run.run.record(), run, clock }
}

function onTheBus(sysfs: FakeTree, address: string, vendor: '0x8086' | '0x1002' | '0x10de'): void {
  sysfs.write(`bus/pci/devices/${address}/class`, '0x030000\n')
  sysfs.write(`bus/pci/devices/${address}/vendor`, `${vendor}\n`)
}

/** For the time of a test. */
function withEnvironment(variables: Readonly<Record<string, string>>): void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, variables)
  onTestFinished(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
}

const gpuProblems = (data: EmissionsData): readonly string[] =>
  data.problems.filter(({ subject }) => subject === 'gpu_ids').map(({ message }) => message)

describe('gpu_ids', () => {
  it('on a machine without cards is a mistake that is told', async () => {
    const { data } = await runningOn(fakeSysfs({ 'bus/pci/devices/0000:00:00.0/class': '0x060000\n' }), {
      gpuIds: [1],
    })
    expect(data.gpuCount).toBe(0)
    expect(gpuProblems(data)).toEqual(['gpu_ids: "1" fits no graphics processor; there is none'])
  })

  it.each([
    { gpuIds: [1], joules: 6, count: 1, told: [] },
    { gpuIds: [], joules: 0, count: 0, told: [] },
    {
      gpuIds: [2],
      joules: undefined,
      count: undefined,
      told: ['gpu_ids: "2" fits no graphics processor; there are: 0, 1'],
    },
  ])('chooses among cards of Intel: $gpuIds', async ({ gpuIds, joules, count, told }) => {
    const sysfs = fakeSysfs()
    const cards = ['0000:03:00.0', '0000:04:00.0'].map((address, number) => {
      onTheBus(sysfs, address, '0x8086')
      return fakeMonitor(sysfs, { ...intelXe, number, device: `devices/pci0000:00/${address}` })
    })
    const { run, clock } = await runningOn(sysfs, { gpuIds })
    cards[0]?.set('energy1_input', 9e6)
    cards[1]?.set('energy1_input', 11e6)
    clock.advance(1)
    const data = run.run.record()
    if (joules === undefined) expect(data.gpuEnergy).toBeUndefined()
    else expect((data.gpuEnergy ?? Number.NaN) * 3.6e6).toBeCloseTo(joules, 6)
    expect(data.gpuCount).toBe(count)
    expect(gpuProblems(data)).toEqual(told)
  })

  it('is of the card beside the graphics of a processor, which are no card', async () => {
    const sysfs = fakeSysfs()
    const card = fakeMonitor(sysfs, intelXe)
    fakeMonitor(sysfs, amdApu)
    onTheBus(sysfs, '0000:04:00.0', '0x8086')
    onTheBus(sysfs, '0000:c4:00.0', '0x1002')
    const { run, clock } = await runningOn(sysfs, { gpuIds: [0] })
    card.set('energy1_input', 55e6)
    clock.advance(1)
    expect(gpuOf(run.run.record())).toMatchObject({ method: 'measured', energyJoules: 50 })
  })

  it('of a machine with no card but the graphics of its processor is a mistake', async () => {
    const sysfs = fakeSysfs()
    fakeMonitor(sysfs, amdApu)
    onTheBus(sysfs, '0000:c4:00.0', '0x1002')
    const { data } = await runningOn(sysfs, { gpuIds: [5] })
    expect(data.gpuCount).toBe(0)
    expect(gpuProblems(data)).toEqual(['gpu_ids: "5" fits no graphics processor; there is none'])
  })

  it.each([0, 1])('chooses a board of two dies by either of them: %d', async (die) => {
    const sysfs = fakeSysfs()
    for (const [address, isFirst] of [
      ['0000:03:00.0', true],
      ['0000:04:00.0', false],
    ] as const) {
      fakeMonitor(sysfs, amdDie(address, isFirst))
      onTheBus(sysfs, address, '0x1002')
    }
    expect((await runningOn(sysfs)).data.gpuCount).toBe(1)
    const { data } = await runningOn(sysfs, { gpuIds: [die] })
    expect(data.gpuCount).toBe(1)
    expect(gpuOf(data).source).toBe('amdgpu')
  })

  it.each([
    ['nothing', {}, {}],
    ['its number', { gpuIds: [0] }, {}],
    ['the environment', {}, { ROCR_VISIBLE_DEVICES: '0' }],
  ])('that AMD has no driver for is unmeasured: chosen by %s', async (_, given, environment) => {
    withEnvironment({ PATH: '', ...environment })
    const sysfs = fakeSysfs()
    onTheBus(sysfs, '0000:03:00.0', '0x1002')
    const { data } = await runningOn(sysfs, given)
    expect(data.gpuEnergy).toBeUndefined()
    expect(data.gpuCount).toBe(1)
    expect(data.problems.map(({ code }) => code)).toContain('ERR_UNMEASURED')
  })

  it('where the bus cannot be listed and nobody can be asked is unmeasured energy', async () => {
    withEnvironment({ PATH: '' })
    const { data } = await runningOn(fakeSysfs(), { gpuIds: [0] })
    expect(data.gpuEnergy).toBeUndefined()
    expect(gpuOf(data).method).toBe('unmeasured')
    expect(gpuProblems(data)).toEqual([expect.stringContaining('gpu_ids: no NVML library')])
  })
})

describe.runIf(hasCompiler)('cards of NVIDIA that count are never nothing', () => {
  const withCard = (): FakeTree => {
    const sysfs = fakeSysfs()
    onTheBus(sysfs, '0000:01:00.0', '0x10de')
    return sysfs
  }
  const none = (): FakeTree => fakeSysfs({ 'bus/pci/devices/0000:00:00.0/class': '0x060000\n' })

  it.each([
    ['on the bus', withCard, {}],
    ['on the bus, and chosen', withCard, { gpuIds: [0] }],
    ['not on the bus', none, {}],
  ])('one that does not say who it is, %s', async (_, tree, given) => {
    compiledRig(1).lose(0, 15)
    const { data } = await runningOn(tree(), { nvmlLibraryPath: compiledLibrary(), ...given })
    expect(data.gpuCount).toBe(1)
    expect(data.gpuEnergy).toBeUndefined()
    expect(gpuOf(data).method).toBe('unmeasured')
  })

  it('one on the bus that the library does not see, whatever CUDA is shown', async () => {
    withEnvironment({ CUDA_VISIBLE_DEVICES: '0' })
    compiledRig(0)
    const { data } = await runningOn(withCard(), { nvmlLibraryPath: compiledLibrary() })
    expect(data).toMatchObject({ gpuCount: 1, gpuEnergy: undefined })
  })

  it('those of which none is the one that is named', async () => {
    compiledRig(3)
    const { data, run } = await runningOn(none(), { nvmlLibraryPath: compiledLibrary(), gpuIds: [7] })
    expect(data).toMatchObject({ gpuCount: undefined, gpuEnergy: undefined })
    expect(renderReport(run, data)).toMatch(/GPU +unmeasured, not in the total/)
  })

  it('before their library is open', async () => {
    compiledRig(2)
    const { options } = resolveOptions(
      fromCode({
        ...fakeMachine().options,
        sysfsPath: none().path,
        nvmlLibraryPath: compiledLibrary(),
        outputMethods: [],
      }),
    )
    const data = await startRun(options, { log: () => undefined, clock: fakeClock() }).run.stop()
    expect(data).toMatchObject({ gpuCount: undefined, gpuEnergy: undefined })
    expect(gpuOf(data).method).toBe('unmeasured')
  })
})

describe('graphics cards that nobody can measure', () => {
  it('are unmeasured, and named in the record, the problems and the report', async () => {
    const machine = fakeMachine()
    const device = (id: string, name: string, text: string): Record<string, string> => ({
      [`bus/pci/devices/${id}/${name}`]: `${text}\n`,
    })
    const sysfs = fakeSysfs({
      ...device('0000:01:00.0', 'class', '0x030200'),
      ...device('0000:01:00.0', 'vendor', '0x10de'),
    })
    const { options } = resolveOptions(
      fromCode({
        ...machine.options,
        sysfsPath: sysfs.path,
        nvmlLibraryPath: join(machine.folder, 'libnvidia-ml.so.1'),
        outputMethods: [],
        forceCpuPower: 10,
      }),
    )
    const path = process.env['PATH']
    process.env['PATH'] = ''
    onTestFinished(() => {
      process.env['PATH'] = path
    })
    const run = startRun(options, { log: () => undefined, clock: fakeClock() })
    await run.survey.gpus.opened
    const data = await run.run.stop()
    expect(gpuOf(data)).toMatchObject({ method: 'unmeasured', energyJoules: undefined })
    expect(data.gpuEnergy).toBeUndefined()
    expect(data.problems).toContainEqual(expect.objectContaining({ code: 'ERR_UNMEASURED', subject: 'gpu' }))
    expect(renderReport(run, data)).toMatch(/GPU +unmeasured, not in the total/)
  })
})
