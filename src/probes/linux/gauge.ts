import { fromMicrojoules, fromMicrowatts, type Joules, type Watts } from '../../core/units.ts'
import { openPseudoFile, type PseudoFile } from './pseudo-file.ts'

/** Open files that tell energy since some moment. */
export interface EnergyGauge {
  readonly quantity: 'energy'
  /** @throws where it cannot be told now */
  read(): Joules
  close(): void
}

/** Open files that tell the power of this moment. */
export interface PowerGauge {
  readonly quantity: 'power'
  /** @throws where it cannot be told now; {@link NothingToTell} where there is nothing wrong with that */
  read(): Watts
  close(): void
}

/** One or the other. */
export type Gauge = EnergyGauge | PowerGauge

/** Thrown by gauges that are as they should be, and still have no figure at present. */
export class NothingToTell extends Error {
  /** Whether it is worth a word even where there never was a figure. */
  readonly isNews: boolean

  constructor(message: string, options: { readonly isNews: boolean }) {
    super(message)
    this.name = 'NothingToTell'
    this.isNews = options.isNews
  }
}

/** A counter in microjoules. @throws the error of `open` */
export function openEnergyGauge(path: string): EnergyGauge {
  const file = openPseudoFile(path)
  return {
    quantity: 'energy',
    read: () => fromMicrojoules(integerOf(file)),
    close: () => {
      file.close()
    },
  }
}

/** A power, in microwatts unless `toWatts` says otherwise. @throws the error of `open` */
export function openPowerGauge(path: string, toWatts: (value: number) => Watts = fromMicrowatts): PowerGauge {
  const file = openPseudoFile(path)
  return {
    quantity: 'power',
    read: () => toWatts(integerOf(file)),
    close: () => {
      file.close()
    },
  }
}

/**
 * A current of nothing may be shown as a little less than nothing: the INA3221 is off by up to 80 µV at its shunt (TI SBOS576), and graphics
 * rails of Jetson Thor that are switched off are seen at -0.4 W.
 */
const leastWatts = -1

/** Voltage in millivolts times current in milliamperes. @throws the error of `open` */
export function openProductGauge(voltagePath: string, currentPath: string): PowerGauge {
  const voltage = openPseudoFile(voltagePath)
  const current = openAfter(voltage, currentPath)
  return {
    quantity: 'power',
    read() {
      const power = fromMicrowatts(signedIntegerOf(voltage) * signedIntegerOf(current))
      return power < 0 && power >= leastWatts ? fromMicrowatts(0) : power
    },
    close() {
      voltage.close()
      current.close()
    },
  }
}

/** Opens a second file, and lets go of the first where that fails. */
export function openAfter(first: { close(): void }, path: string): PseudoFile {
  try {
    return openPseudoFile(path)
  } catch (error) {
    first.close()
    throw error
  }
}

function integerOf(file: PseudoFile): number {
  const value = file.integer()
  if (value === undefined) throw new Error(`${file.path} holds no number that energy or power could have`)
  return value
}

/** A whole number that may be below zero, as currents may. @throws where it is none */
export function signedIntegerOf(file: PseudoFile): number {
  const text = file.text().trim()
  if (!/^-?\d+$/.test(text)) throw new Error(`${file.path} holds no number`)
  return Number(text)
}
