import { describe, expect, test } from 'vitest'
import type { RunCommand } from '../../src/probes/background-command.ts'
import { createRocmSmiProbe, type RocmSmiOptions } from '../../src/probes/rocm-smi.ts'
import { parseAmdSmi, parseRocmSmi } from '../../src/probes/rocm/parse-smi.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'
import { fakeSysfs } from '../fixtures/fake-sysfs.ts'

/** As rocm-smi writes it (ROCm/rocm_smi_lib, rocm_smi.py): numbers as text, and a warning before them. */
const rocmAnswer = `WARNING: AMD GPU device(s) is/are in a low-power state. Check power control/runtime_status

{"card0": {"Average Graphics Package Power (W)": "36.0"}, "card1": {"Current Socket Graphics Package Power (W)": "133.5"}, "card2": {"Average Graphics Package Power (W)": "N/A"}, "system": {"Driver version": "6.8.5"}}
`
/** As amd-smi writes it before ROCm 7 (ROCm/amdsmi, amdsmi_commands.py). */
const amdAnswer = JSON.stringify([
  { gpu: 0, power: { socket_power: { value: 142, unit: 'W' }, throttle_status: 'UNTHROTTLED' } },
  { gpu: 1, power: { socket_power: 'N/A' } },
])

function openSmi(program: string, output: string | Error, options: RocmSmiOptions = {}, start = 1000) {
  const clock = fakeClock({ start })
  const bin = fakeSysfs({ [program]: '#!/bin/sh\n' })
  bin.chmod(program, 0o755)
  const ran: string[] = []
  const run: RunCommand = (file, args, done) => {
    ran.push([file.slice(bin.path.length + 1), ...args].join(' '))
    done(output)
    return () => undefined
  }
  const probe = createRocmSmiProbe({ path: bin.path, run, clock, ...options })
  clock.advance(0)
  return {
    probe,
    clock,
    ran,
    read(passed: number) {
      clock.advance(passed)
      return probe.read({ at: clock.now().monotonic, resumed: false })
    },
  }
}

itIsAProbe('rocm-smi', () => {
  const { probe, clock } = openSmi('rocm-smi', rocmAnswer, {}, 5000)
  return {
    probe,
    work: (time) => {
      clock.advance(time)
    },
  }
})

describe('what the programs of ROCm tell', () => {
  test('cards are read by rocm-smi, and one without a figure has no reading', () => {
    const { read, ran } = openSmi('rocm-smi', rocmAnswer)
    read(0)
    const result = read(2)
    expect(result.readings.map(({ domain, energy }) => [domain, energy])).toEqual([
      ['amd-gpu-0', 72],
      ['amd-gpu-1', 267],
    ])
    expect(ran).toEqual(['rocm-smi --showpower --json'])
  })

  test('amd-smi is asked where it is installed', () => {
    const { read, ran } = openSmi('amd-smi', amdAnswer)
    read(0)
    expect(expectReading(read(1), 'amd-gpu-0')).toMatchObject({ energy: 142, component: 'gpu', kind: 'gpu' })
    expect(ran).toEqual(['amd-smi metric --power --json'])
  })

  test('only the cards that are selected count', () => {
    const { read } = openSmi('rocm-smi', rocmAnswer, { select: (index) => index === 1 })
    expect(read(0).readings.map(({ domain }) => domain)).toEqual(['amd-gpu-1'])
  })

  test('all the forms of amd-smi are understood', () => {
    const wrapped = { gpu_data: [{ gpu: 3, power: { socket_power: { value: 41, unit: 'W' } } }] }
    expect(parseAmdSmi(JSON.stringify(wrapped))).toEqual(new Map([[3, 41]]))
    const older = [{ gpu: 0, power: { average_socket_power: '90 W' } }]
    expect(parseAmdSmi(JSON.stringify(older))).toEqual(new Map([[0, 90]]))
    expect(parseAmdSmi(amdAnswer)).toEqual(new Map([[0, 142]]))
  })

  test.each(['', 'ERROR: no devices', '{"card0": {"Average', '[1, 2'])('%j is no answer', (output) => {
    expect(() => parseRocmSmi(output)).toThrow('no JSON')
    expect(() => parseAmdSmi(output)).toThrow('no JSON')
  })

  test('an answer without any card is said', () => {
    const { read } = openSmi('rocm-smi', '{}')
    read(0)
    expect(read(40).problems).toMatchObject([{ code: 'ERR_PROBE_READ', subject: 'rocm-smi' }])
  })

  test('without either program there is no probe', () => {
    expect(() => createRocmSmiProbe({ path: fakeSysfs().path })).toThrow(/neither amd-smi nor rocm-smi/)
  })
})
