import { describe, expect, test } from 'vitest'
import { ProbeUnavailable } from '../../src/core/errors.ts'
import type { RunCommand } from '../../src/probes/background-command.ts'
import { parseDcmiPower } from '../../src/probes/bmc/parse-dcmi.ts'
import { createIpmiProbe } from '../../src/probes/ipmi.ts'
import { expectReading, itIsAProbe } from '../contract/probe.ts'
import { asNobody } from '../fixtures/as-nobody.ts'
import { fakeClock } from '../fixtures/fake-clock.ts'
import { fakeSysfs } from '../fixtures/fake-sysfs.ts'

/** As ipmitool 1.8 writes it (lib/ipmi_dcmi.c, ipmi_print_power_reading); the values are invented. */
const dcmiAnswer = (watts: number): string => `
    Instantaneous power reading:                   ${watts} Watts
    Minimum during sampling period:                140 Watts
    Maximum during sampling period:                390 Watts
    Average power reading over sample period:      210 Watts
    IPMI timestamp:                           Tue Jan  6 10:20:30 2026
    Sampling period:                          00000001 Seconds.
    Power reading state is:                   activated

`

function openIpmi(start = 1000) {
  const clock = fakeClock({ start })
  const dev = fakeSysfs({ ipmi0: '' })
  const ran: string[] = []
  let output: string | Error = dcmiAnswer(220)
  const run: RunCommand = (program, args, done) => {
    ran.push([program, ...args].join(' '))
    done(output)
    return () => undefined
  }
  const probe = createIpmiProbe({ devPath: dev.path, program: 'ipmitool', run, clock })
  clock.advance(0)
  return {
    probe,
    clock,
    ran,
    say(next: string | Error) {
      output = next
    },
    read(passed: number) {
      clock.advance(passed)
      return probe.read({ at: clock.now().monotonic, resumed: false })
    },
  }
}

itIsAProbe('ipmi', () => {
  const { probe, clock } = openIpmi(5000)
  return {
    probe,
    work: (time) => {
      clock.advance(time)
    },
  }
})

describe('the power that a controller tells by IPMI', () => {
  test('it is of the whole machine', () => {
    const { read, ran } = openIpmi()
    read(0)
    expect(expectReading(read(5), 'host-ipmi')).toMatchObject({ component: 'host', energy: 1100 })
    expect(ran).toEqual(['ipmitool dcmi power reading'])
  })

  test('a controller that knows no DCMI is said, with what the program said', () => {
    const { read, say } = openIpmi()
    read(0)
    say(new Error('ipmitool failed: DCMI request failed because: Invalid command (c1)'))
    expect(read(60).problems[0]?.message).toContain('Invalid command')
  })

  test.each([
    ['nothing', '', 'told no power'],
    ['other words', 'Get SDR 0x0a command failed', 'told no power'],
    ['not watts', 'Instantaneous power reading: many Watts\n', 'told no power'],
    [
      'readings that are off',
      dcmiAnswer(220).replace('activated', 'deactivated'),
      'power readings deactivated',
    ],
  ])('an answer of %s is no figure', (_, output, message) => {
    expect(() => parseDcmiPower(output)).toThrow(message)
  })

  test('0 W are no figure', () => {
    const { read, say } = openIpmi()
    say(dcmiAnswer(0))
    read(0)
    expect(read(60).readings).toEqual([])
  })
})

describe('where IPMI cannot be used', () => {
  function refusal(devPath: string, program?: string): ProbeUnavailable {
    try {
      createIpmiProbe({ devPath, program }).close?.()
    } catch (error) {
      if (error instanceof ProbeUnavailable) return error
    }
    throw new Error('the probe was opened')
  }

  test('without the device, the modules are named', () => {
    expect(refusal(fakeSysfs().path).remedy).toContain('modprobe ipmi_devintf')
  })

  test('without permission, the remedy gives it', () => {
    const dev = fakeSysfs({ ipmi0: '' })
    dev.chmod('ipmi0', 0o600)
    const { message, remedy } = asNobody(() => refusal(dev.path, 'ipmitool'))
    expect(message).toContain('root only')
    expect(remedy).toContain('udev')
  })
})
