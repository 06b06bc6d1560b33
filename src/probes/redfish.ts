import { systemClock, type Clock } from '../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import { seconds, type Watts } from '../core/units.ts'
import { createGetJson, HttpRefusal, type GetJson } from './bmc/get-json.ts'
import { parseChassis, parseMembers, parsePower, type RedfishChassis } from './bmc/parse-redfish.ts'
import { maxHostPower } from './host-power.ts'
import { askBy, createPolledProbe, type PolledProbe } from './polled-probe.ts'

/** Options of {@link createRedfishProbe}. */
export interface RedfishOptions {
  /** Where the controller is: `https://bmc.example`. Nothing is asked without it. */
  readonly url: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** `Id` of the chassis to read. @default the first that is a whole machine and tells its power */
  readonly chassis?: string | undefined
  /** Certificates (PEM) to trust besides the system's. */
  readonly ca?: string | undefined
  /** How the service is asked; for tests. */
  readonly get?: GetJson
  readonly clock?: Clock
}

/** Controllers update the figure every few seconds, and each question is a TLS handshake for a weak processor. */
const every = seconds(10)
const chassisPath = '/redfish/v1/Chassis'
/** Values of `ChassisType` that are parts of a machine, or hold several (DMTF DSP2046, Chassis). */
const partTypes: readonly string[] = [
  'Card',
  'Cartridge',
  'Component',
  'Drawer',
  'Enclosure',
  'Expansion',
  'IPBasedDrive',
  'Module',
  'Pod',
  'Rack',
  'RackGroup',
  'Row',
  'Shelf',
  'StorageEnclosure',
  'Zone',
]

/**
 * Power of the whole machine as its controller (BMC) tells it by Redfish, every 10 s in the background, integrated. Of the component `host`:
 * shown, never added to the parts; power supplies and fans included. Needs a user of the controller who may log in.
 *
 * @throws ProbeUnavailable where no controller is named, or not by HTTPS
 */
export function createRedfishProbe(options: RedfishOptions): RedfishProbe {
  const { chassis, clock = systemClock } = options
  const origin = originOf(options.url)
  const get = options.get ?? createGetJson({ ...options, origin, clock })
  let found: { readonly path: string; readonly chassis: string } | undefined

  async function ask(signal: AbortSignal): Promise<ReadonlyMap<string, Watts>> {
    try {
      const power = found === undefined ? await discover(signal) : parsePower(await get(found.path, signal))
      if (power === undefined) throw new Error('it tells no power at present')
      return new Map([['host-redfish', power]])
    } catch (error) {
      if (error instanceof HttpRefusal && error.status === 404) found = undefined
      const remedy = error instanceof ProbeUnavailable ? error.remedy : undefined
      throw new ProbeUnavailable(`${origin.origin}: ${messageOf(error)}`, remedy, { cause: error })
    }
  }

  /** Looks for the chassis that tells the machine's power, and remembers where. */
  async function discover(signal: AbortSignal): Promise<Watts | undefined> {
    const all: RedfishChassis[] = []
    // One after the other: a controller is a small machine.
    for (const path of parseMembers(await get(chassisPath, signal))) {
      all.push(parseChassis(await get(path, signal)))
    }
    const candidates = wanted(all, chassis)
    for (const { id, powerPaths } of candidates) {
      for (const path of powerPaths) {
        const power = await powerAt(path, signal)
        if (power === undefined) continue
        found = { path, chassis: id }
        return power
      }
    }
    const which = chassis === undefined ? 'no chassis of it' : `no chassis ${shown(chassis)} of it`
    throw new ProbeUnavailable(
      `${which} tells the power of a whole machine (it has ${namesOf(all)})`,
      candidates.length === all.length
        ? 'try ipmi on the machine itself'
        : 'name the chassis that is this machine with redfish_chassis',
    )
  }

  async function powerAt(path: string, signal: AbortSignal): Promise<Watts | undefined> {
    try {
      return parsePower(await get(path, signal))
    } catch (error) {
      // A link that leads nowhere is no reason not to follow the next one.
      if (error instanceof HttpRefusal && error.status === 404) return undefined
      throw error
    }
  }

  const probe = createPolledProbe({
    name: 'redfish',
    component: 'host',
    kind: 'other',
    every,
    maxPower: maxHostPower,
    neverIdle: true,
    clock,
    ask: askBy(ask),
  })
  return {
    ...probe,
    basis: () => (found === undefined ? undefined : `chassis ${shown(found.chassis)} of ${origin.origin}`),
  }
}

/** The probe, and what it reads. */
export interface RedfishProbe extends PolledProbe {
  /** `chassis 1U of https://bmc.example`; `undefined` until it was found. */
  basis(): string | undefined
}

/** Names are the controller's own: they may be anything. */
const shown = (id: string): string => JSON.stringify(id.slice(0, 40)).replaceAll(/[\u007F-\u009F]/g, '')

function namesOf(all: readonly RedfishChassis[]): string {
  if (all.length === 0) return 'none'
  const more = all.length > 10 ? `, and ${all.length - 10} more` : ''
  return `${all
    .slice(0, 10)
    .map(({ id }) => shown(id))
    .join(', ')}${more}`
}

function wanted(all: readonly RedfishChassis[], id: string | undefined): readonly RedfishChassis[] {
  if (id !== undefined) return all.filter((chassis) => chassis.id === id)
  return all.filter(({ type }) => type === undefined || !partTypes.includes(type))
}

function originOf(url: string | undefined): URL {
  if (url === undefined) throw new ProbeUnavailable('no Redfish service is named')
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '') {
    throw new ProbeUnavailable(
      'the Redfish service has to be named as https://host, without user name and password in it',
      'redfish_url = https://bmc.example',
    )
  }
  return parsed
}
