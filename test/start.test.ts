import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadOptions } from '../src/config/load-options.ts'
import { fromCode } from '../src/config/option-source.ts'
import { estimateMemoryPower } from '../src/core/power-model.ts'
import { ratio, seconds, toGigabytes } from '../src/core/units.ts'
import { startRun } from '../src/start.ts'
import { fakeClock } from './fixtures/fake-clock.ts'
import { cpuTimes } from './fixtures/fake-procfs.ts'
import { fakeMachine } from './tracker/fake-machine.ts'

it.runIf(process.platform === 'linux')(
  'a run shares estimated memory by what a command holds, and what load adds by how busy it was',
  () => {
    const { options: paths } = fakeMachine()
    const clock = fakeClock()
    const ticks = { idle: 0, user: 0 }
    const use = { cpu: seconds(0), residentBytes: 0 }
    const pass = (others: number, own: number): void => {
      ticks.user += (others + own) * 100
      ticks.idle += (4 - others - own) * 100
      writeFileSync(join(paths.procfsPath, 'stat'), cpuTimes(ticks))
      use.cpu = seconds(use.cpu + own)
      clock.advance(1)
    }
    writeFileSync(join(paths.procfsPath, 'stat'), cpuTimes(ticks))
    const { options } = loadOptions(
      fromCode({ ...paths, outputMethods: [], raplIncludeDram: false, measurePowerSecs: 1 }),
      { environment: {}, home: undefined, workingDirectory: undefined },
    )
    const { run } = startRun(options, { log: () => undefined, clock, tree: { read: () => ({ ...use }) } })

    // An eighth of the 16 GiB all the time; alone on one of four CPUs for half of it, then beside another one.
    use.residentBytes = 2 * 2 ** 30
    for (let second = 0; second < 30; second += 1) pass(0, 1)
    for (let second = 0; second < 30; second += 1) pass(1, 1)
    run.end()

    const power = (load: number): number => estimateMemoryPower(toGigabytes(16 * 2 ** 30), ratio(load)).value
    const idle = 60 * power(0)
    const alone = 30 * (power(0.25) - power(0))
    const beside = 30 * (power(0.5) - power(0))
    expect(run.used().energy.ram?.value).toBeCloseTo(idle + alone + beside, 6)
    expect(run.usedByTree()?.energy.ram?.value).toBeCloseTo(idle / 8 + alone + beside / 2, 6)
  },
)
