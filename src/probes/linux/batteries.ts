import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fromMicrowatts, fromPicowatts, watts, type Watts } from '../../core/units.ts'
import { readAttribute, readNumber } from './attribute.ts'
import { NothingToTell, openAfter, signedIntegerOf, type PowerGauge } from './gauge.ts'
import { openPseudoFile, type PseudoFile } from './pseudo-file.ts'

/** A battery that the machine runs on, under `<sysfs>/class/power_supply` (kernel documentation: ABI/testing/sysfs-class-power). */
export interface Battery {
  readonly name: string
  readonly folder: string
  /** How it tells its power; `undefined` where it does not. */
  readonly tells: 'power' | 'current' | undefined
}

/** Batteries of the machine, those of mice, keyboards and the like (`scope` is `Device`) and empty bays left out. */
export function findBatteries(sysfsPath: string): readonly Battery[] {
  return listSupplies(sysfsPath).flatMap((name) => {
    const folder = join(sysfsPath, 'class/power_supply', name)
    const isBattery = readAttribute(join(folder, 'type')) === 'Battery'
    const isOther = readAttribute(join(folder, 'scope')) === 'Device'
    const isAbsent = readNumber(join(folder, 'present')) === 0
    return isBattery && !isOther && !isAbsent ? [{ name, folder, tells: tellsBy(folder) }] : []
  })
}

/** Names of all power supplies. */
export function listSupplies(sysfsPath: string): readonly string[] {
  try {
    return readdirSync(join(sysfsPath, 'class/power_supply')).toSorted()
  } catch {
    // None of them here.
    return []
  }
}

function tellsBy(folder: string): Battery['tells'] {
  const has = (file: string): boolean => statSync(join(folder, file), { throwIfNoEntry: false }) !== undefined
  if (has('power_now')) return 'power'
  return has('current_now') && has('voltage_now') ? 'current' : undefined
}

/** Files that say whether another supply than a battery feeds the machine: 0 where it does not. */
export const findMains = (sysfsPath: string): readonly string[] =>
  listSupplies(sysfsPath).flatMap((name) => {
    const folder = join(sysfsPath, 'class/power_supply', name)
    const isBattery = readAttribute(join(folder, 'type')) === 'Battery'
    const online = join(folder, 'online')
    const isOther = readAttribute(join(folder, 'scope')) === 'Device'
    return isBattery || isOther || readNumber(online) === undefined ? [] : [online]
  })

/**
 * Power that all batteries together give. While none of them is `Discharging`, or one is `Charging`, or another supply is online (a weak
 * one feeds the machine together with the battery), their power is not the machine's and there is nothing to tell.
 * @throws the error of `open`
 */
export function openBatteries(batteries: readonly Battery[], mains: readonly string[]): PowerGauge {
  const open: OpenBattery[] = []
  const supplies: PseudoFile[] = []
  const close = (): void => {
    for (const file of [...open, ...supplies]) file.close()
  }
  try {
    for (const battery of batteries) open.push(openBattery(battery))
    for (const online of mains) supplies.push(openPseudoFile(online))
  } catch (error) {
    close()
    throw error
  }
  return {
    quantity: 'power',
    read() {
      const states = open.map(({ status }) => status.text().trim())
      const isFed = supplies.some((online) => signedIntegerOf(online) !== 0)
      if (isFed || states.includes('Charging') || !states.includes('Discharging')) {
        const said = [...states, ...(isFed ? ['on mains'] : [])].join(', ')
        const message = `the machine does not run on its battery alone (${said}), which then cannot tell its power`
        throw new NothingToTell(message, { isNews: false })
      }
      let power = 0
      for (const [at, battery] of open.entries()) if (states[at] === 'Discharging') power += battery.power()
      return watts(power)
    },
    close,
  }
}

interface OpenBattery {
  readonly status: PseudoFile
  power(): Watts
  close(): void
}

/** Currents and powers that go out are below zero by the book, and above it with many drivers: `status` says which way they go. */
function openBattery({ folder, tells }: Battery): OpenBattery {
  const status = openPseudoFile(join(folder, 'status'))
  const value = openAfter(status, join(folder, tells === 'power' ? 'power_now' : 'current_now'))
  const voltage =
    tells === 'power' ? undefined : openAfter(closerOf(status, value), join(folder, 'voltage_now'))
  return {
    status,
    power() {
      const size = Math.abs(signedIntegerOf(value))
      return voltage === undefined ? fromMicrowatts(size) : fromPicowatts(size * signedIntegerOf(voltage))
    },
    close() {
      closerOf(status, value).close()
      voltage?.close()
    },
  }
}

const closerOf = (...files: readonly PseudoFile[]): { close(): void } => ({
  close() {
    for (const file of files) file.close()
  },
})
