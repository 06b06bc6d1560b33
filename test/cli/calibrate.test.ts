import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { runCli, startCli, stateFolder, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { fakeMachine, type FakeMachine } from '../tracker/fake-machine.ts'

let folder: string
let machine: FakeMachine
let paths: readonly string[]

beforeEach(() => {
  folder = temporaryFolder()
  machine = fakeMachine(join(folder, 'machine'))
  paths = ['--sysfs-path', machine.options.sysfsPath, '--procfs-path', machine.options.procfsPath]
})

const calibrate = (...args: readonly string[]): Promise<Ended> =>
  runCli(['calibrate', ...args, ...paths], { folder })

/** What `detect` says that the processors' estimate stands on, where the counters are not used. */
async function basis(): Promise<string> {
  const { stdout } = await runCli(['detect', '--json', '--force-mode-cpu-load', ...paths], { folder })
  return (JSON.parse(stdout) as { cpu: { basis: string } }).cpu.basis
}

describe('calibrate', () => {
  it('learns idle and full power from the counters, keeps them, and later estimates use them', async () => {
    let watts = 10
    let last = performance.now()
    let microjoules = 1e9
    // Written over in place, so that nobody reads half of it.
    const counter = openSync(join(machine.options.sysfsPath, 'class/powercap/intel-rapl:0/energy_uj'), 'r+')
    // The hardware: draws 10 W until the first load is done, then 60 W.
    const timer = setInterval(() => {
      const now = performance.now()
      microjoules += watts * (now - last) * 1000
      last = now
      writeSync(counter, `${Math.round(microjoules)}\n`, 0)
    }, 10)
    onTestFinished(() => {
      clearInterval(timer)
      closeSync(counter)
    })
    const child = startCli(['calibrate', '--step-seconds', '1', '--json', ...paths], { folder, input: '' })
    child.process.stderr.on('data', (text: string) => {
      if (text.includes('0 % load')) watts = 60
    })
    const { code, stdout } = await child.ended
    expect(code).toBe(0)
    const learned = JSON.parse(stdout) as { idle_watts: number; max_watts: number; method: string }
    expect(learned.method).toBe('rapl')
    expect(learned.idle_watts).toBeGreaterThan(8)
    expect(learned.idle_watts).toBeLessThan(12)
    expect(learned.max_watts).toBeGreaterThan(50)
    expect(learned.max_watts).toBeLessThan(72)
    expect(await basis()).toMatch(/W idle and .* W at full load, calibrated \d{4}-\d\d-\d\d/)
  })

  it('takes what you measured yourself', async () => {
    const before = await basis()
    const { code, stdout } = await calibrate('--idle-watts', '7', '--max-watts', '42')
    expect(code).toBe(0)
    expect(stdout).toContain('7.00 W idle, 42.0 W at full load, given')
    expect(await basis()).toContain('7 W idle and 42 W at full load')
    expect((await calibrate('--show', '--json')).stdout).toContain('"max_watts": 42')
    await calibrate('--forget')
    expect((await calibrate('--show')).stdout).toBe('nothing is kept for this machine\n')
    expect(await basis()).toBe(before)
  })

  it('gives way to what the configuration says, and holds for the same processors alone', async () => {
    await calibrate('--idle-watts', '7', '--max-watts', '42')
    const told = await runCli(
      ['detect', '--json', '--force-mode-cpu-load', '--cpu-max-watts', '50', ...paths],
      {
        folder,
      },
    )
    expect(told.stdout).toContain('50 W at full load, as configured')
    const cpuinfo = join(machine.options.procfsPath, 'cpuinfo')
    writeFileSync(cpuinfo, readFileSync(cpuinfo, 'utf8').replaceAll('i7-8650U', 'i7-8550U'))
    expect(await basis()).not.toContain('calibrated')
  })

  it.each([
    [['--idle-watts', '7'], 'given together'],
    [['--idle-watts', '50', '--max-watts', '42'], 'expected more than the 50 W'],
    [['--idle-watts', '-1', '--max-watts', '42'], 'Expected watts'],
    [['--step-seconds', '0'], 'Expected seconds'],
  ])('refuses what cannot be: %j', async (args, words) => {
    const { code, stderr } = await calibrate(...args)
    expect(code).toBe(2)
    expect(stderr).toContain(words)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('learns nothing from counters that show no difference, or where there are none', async () => {
    const flat = await calibrate('--step-seconds', '1')
    expect(flat.code).toBe(1)
    expect(flat.stderr).toMatch(/no difference to learn from|stood still/)
    const none = await runCli(['calibrate', '--sysfs-path', join(folder, 'nothing')], { folder })
    expect(none.code).toBe(1)
    expect(none.stderr).toMatch(/without counters.*--idle-watts/)
  })

  it('keeps nothing where a counter cannot be read in the middle of it', async () => {
    const child = startCli(['calibrate', '--step-seconds', '1', ...paths], { folder, input: '' })
    child.process.stderr.on('data', () => {
      machine.breakCounter('garbage\n')
    })
    machine.use(5)
    const { code, stderr } = await child.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/package-0/)
    expect((await calibrate('--show')).stdout).toBe('nothing is kept for this machine\n')
  })

  it('tells of a file of calibrations that is none, and estimates go on without it', async () => {
    mkdirSync(stateFolder(folder), { recursive: true })
    const file = join(stateFolder(folder), 'calibration.json')
    writeFileSync(file, '{"calibrations":[{"hardware":"x","maxWatts":"NaN"}]}')
    const { code, stderr } = await calibrate('--show')
    expect(code).toBe(1)
    expect(stderr).toContain(file)
    expect(await basis()).toContain('TDP 15 W')
    await calibrate('--forget-all')
    expect((await calibrate('--show')).code).toBe(0)
  })
})
