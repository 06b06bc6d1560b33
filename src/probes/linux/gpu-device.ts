import { basename, join } from 'node:path'
import { readAttribute } from './attribute.ts'

/** A graphics processor, as whoever selects one wants to know it. */
export interface GpuDevice {
  /** Place in the order of PCI addresses, from 0. */
  readonly index: number
  /** Address on the PCI bus: `0000:03:00.0`. */
  readonly pciId: string
  /** Number burnt into the chip, where the driver tells it. */
  readonly uniqueId: string | undefined
  readonly name: string
  /** Whether it is part of the processor package, whose counter holds its energy. */
  readonly isPartOfPackage: boolean
}

/** What the PCI device of a card says of itself: `product_name`, else vendor and device as in pci.ids. */
export function gpuName(device: string, vendor: string): string {
  const product = readAttribute(join(device, 'product_name'))
  if (product !== undefined) return product
  const ids = ['vendor', 'device'].map(
    (file) => readAttribute(join(device, file))?.replace(/^0x/, '') ?? '????',
  )
  return `${vendor} GPU ${ids.join(':')}`
}

/** The last part of the device's real folder is its address. */
export const pciIdOf = (device: string): string => basename(device)

/** PCI addresses are hexadecimal numbers of fixed length. */
export const byPciId = (a: { readonly pciId: string }, b: { readonly pciId: string }): number =>
  a.pciId < b.pciId ? -1 : a.pciId > b.pciId ? 1 : 0

/** Numbers cards as they are met, so that a card keeps its number while others come and go. */
export function createNumbering(): (gpu: { readonly pciId: string }) => number {
  const numbers = new Map<string, number>()
  return ({ pciId }) => {
    const number = numbers.get(pciId) ?? numbers.size
    numbers.set(pciId, number)
    return number
  }
}
