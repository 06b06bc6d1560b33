import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, type Clock } from '../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import { seconds } from '../core/units.ts'
import { findProgram, runInBackground, type RunCommand } from './background-command.ts'
import { parseDcmiPower } from './bmc/parse-dcmi.ts'
import { maxHostPower } from './host-power.ts'
import { isGone, isPermission } from './linux/pseudo-file.ts'
import { createPolledProbe, type PolledProbe } from './polled-probe.ts'

/** Options of {@link createIpmiProbe}. */
export interface IpmiOptions {
  /** Where the system's devices are. @default '/dev' */
  readonly devPath?: string
  /** The program to run. @default `ipmitool`, from PATH or /usr/sbin */
  readonly program?: string | undefined
  readonly run?: RunCommand
  readonly clock?: Clock
}

/**
 * Controllers average over a second or more, and some need half a second to answer; asking more often tells no more and keeps a processor
 * busy (kernel documentation: driver-api/ipmi.rst, of kipmid).
 */
const every = seconds(10)
/** The names of the device, by age (ipmitool, src/plugins/open/open.c). */
const devices = ['ipmi0', 'ipmi/0', 'ipmidev/0']

/**
 * Power of the whole machine as its controller (BMC) tells it, by `ipmitool dcmi power reading` every 10 s in the background, integrated. Of
 * the component `host`: shown, never added to the parts; power supplies and fans included. Needs the kernel's IPMI device, mostly root, and
 * a controller that speaks DCMI.
 *
 * @throws ProbeUnavailable where the device or the program is missing or may not be used
 */
export function createIpmiProbe(options: IpmiOptions = {}): PolledProbe {
  const { devPath = '/dev', run = runInBackground, clock = systemClock } = options
  demandDevice(devPath)
  const program = options.program ?? findProgram('ipmitool', ['/usr/sbin', '/usr/local/sbin', '/sbin'])
  if (program === undefined) {
    throw new ProbeUnavailable(
      'ipmitool is not installed',
      'sudo apt install ipmitool   (or dnf, zypper, apk)',
    )
  }
  return createPolledProbe({
    name: 'ipmi',
    component: 'host',
    kind: 'other',
    every,
    maxPower: maxHostPower,
    neverIdle: true,
    clock,
    ask: (done) =>
      run(program, ['dcmi', 'power', 'reading'], (output) => {
        done(output instanceof Error ? new ProbeUnavailable(output.message, tryIt) : read(output))
      }),
  })
}

const tryIt =
  'see what it says: sudo ipmitool dcmi power reading   (readings are switched on by: sudo ipmitool dcmi power activate; where the controller speaks Redfish, give redfish_url)'

function read(output: string): ReadonlyMap<string, ReturnType<typeof parseDcmiPower>> | Error {
  try {
    return new Map([['host-ipmi', parseDcmiPower(output)]])
  } catch (error) {
    return new ProbeUnavailable(messageOf(error), tryIt)
  }
}

function demandDevice(devPath: string): void {
  let failure: unknown
  for (const name of devices) {
    try {
      closeSync(openSync(join(devPath, name), 'r+'))
      return
    } catch (error) {
      if (failure === undefined || isGone(failure)) failure = error
    }
  }
  const where = join(devPath, 'ipmi0')
  if (!isPermission(failure)) {
    throw new ProbeUnavailable(
      `no IPMI device: there is no ${where}`,
      'where the machine has a controller: sudo modprobe ipmi_si && sudo modprobe ipmi_devintf',
      { cause: failure },
    )
  }
  throw new ProbeUnavailable(
    `IPMI may be used by root only: no permission on ${where}`,
    `until the next boot: sudo setfacl -m u:"$USER":rw ${where}
for good: echo 'KERNEL=="ipmi*", MODE="0660", GROUP="ipmi"' | sudo tee /etc/udev/rules.d/60-ipmi.rules && sudo groupadd -f ipmi && sudo usermod -aG ipmi "$USER" && sudo udevadm trigger   (then log in again; who may use IPMI may also switch the machine off)`,
    { cause: failure },
  )
}
