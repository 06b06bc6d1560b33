import { rmSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { ProbeUnavailable } from '../../../src/core/errors.ts'
import type { ProbeResult } from '../../../src/core/probe.ts'
import { seconds } from '../../../src/core/units.ts'
import {
  createPowerGadgetProbe,
  type PowerGadgetOptions,
  type PowerGadgetProbe,
} from '../../../src/probes/power-gadget/power-gadget-probe.ts'
import { itIsAProbe } from '../../contract/probe.ts'
import { fakePowerGadgetLog, row, summary, type FakePowerGadgetLog } from '../../fixtures/power-gadget.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

interface Bench {
  readonly probe: PowerGadgetProbe
  readonly log: FakePowerGadgetLog
  readonly folder: string
  read(passed?: number): ProbeResult
}

function open(first = row(500, 60), options: PowerGadgetOptions = {}): Bench {
  const folder = temporaryFolder()
  const log = fakePowerGadgetLog(folder)
  log.write(`${first}\n`)
  const probe = createPowerGadgetProbe({ folder, ...options })
  onTestFinished(() => {
    probe.close?.()
  })
  let at = 100
  return {
    probe,
    log,
    folder,
    read(passed = 1) {
      at += passed
      return probe.read({ at: seconds(at), resumed: false })
    },
  }
}

const energies = ({ readings }: ProbeResult): Record<string, number> =>
  Object.fromEntries(readings.map(({ domain, energy }) => [domain, energy]))

itIsAProbe('power-gadget', () => {
  const { probe, log } = open(row(500, 50))
  let joules = 500
  return {
    probe,
    work(time) {
      joules += 20 * time
      log.write(`${row(joules, joules / 10)}\n`)
    },
  }
})

test('energy is what the log has counted since the probe was opened; cores are inside the package', () => {
  const { probe, log, read } = open()
  read()
  log.write(`${row(510, 61)}\n${row(520, 62)}\n`)
  const result = read()
  expect(energies(result)).toEqual({ 'package-0': 20, 'core-0': 15, 'dram-0': 2 })
  expect(result.readings.map(({ method, parent }) => [method, parent])).toEqual([
    ['measured', undefined],
    ['measured', 'package-0'],
    ['measured', undefined],
  ])
  expect(probe.components).toEqual(['cpu', 'ram'])
})

test('a row is counted when it is whole', () => {
  const { log, read } = open()
  read()
  log.write(row(600, 70).slice(0, 75))
  expect(energies(read())['package-0']).toBe(0)
  log.write(`${row(600, 70).slice(75)}\n`)
  expect(energies(read())['package-0']).toBe(100)
})

test('memory that the user estimates is not measured', () => {
  expect(open(row(1), { includeDram: false }).probe.components).toEqual(['cpu'])
})

test('without a log that grows it is refused, and says what to do', () => {
  const folder = temporaryFolder()
  const refused = (): void => {
    createPowerGadgetProbe({ folder }).close?.()
  }
  expect(refused).toThrow(ProbeUnavailable)
  expect(refused).toThrow('writes no log')
  fakePowerGadgetLog(folder, 'PwrData_old.csv', Date.now() - 60_000)
  expect(refused).toThrow('writes no log')
  expect(() => createPowerGadgetProbe({ folder: `${folder}/nowhere` })).toThrow(ProbeUnavailable)
})

test('a log that ends is an absent domain, until another one is begun: that is a gap and no energy', () => {
  const { folder, log, read } = open()
  log.write(`${row(550)}\n`)
  read()
  log.write(summary)
  read(8)
  const ended = read(8)
  expect(ended.readings).toEqual([])
  expect(ended.problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: 'power-gadget', gap: 8 }])

  const other = fakePowerGadgetLog(folder, 'PwrData_next.csv')
  other.write(`${row(3)}\n`)
  const back = read(6)
  expect(back.problems).toMatchObject([{ code: 'ERR_COUNTER_GAP' }])
  expect(energies(back)['package-0']).toBe(50)
  other.write(`${row(13)}\n`)
  expect(energies(read())['package-0']).toBe(60)
})

test('a log that was removed is read on, and its silence told', () => {
  const { log, read } = open()
  read()
  rmSync(log.path)
  read(8)
  expect(read(8).problems).toMatchObject([{ code: 'ERR_PROBE_READ' }])
})

test('a file of ten thousand rows costs no more than its end', () => {
  const { log, read } = open()
  read()
  log.write(Array.from({ length: 10_000 }, (_, index) => `${row(500 + index / 100)}\n`).join(''))
  expect(energies(read(100))['package-0']).toBeCloseTo(99.99, 6)
})
