import type { Nvml, NvmlDevice, NvmlFacts } from './binding.ts'
import { NvmlError } from './return-code.ts'

/** One card that NVML counts: who it is, or why it does not say. */
export type Card =
  | {
      readonly index: number
      readonly device: NvmlDevice
      readonly facts: NvmlFacts
      readonly error?: undefined
    }
  | { readonly index: number; readonly facts?: undefined; readonly error: unknown }

/**
 * Asks each card who it is, one after the other, with a pause between them. One that does not answer is listed with its error.
 *
 * @throws NvmlError where the library does not answer at all
 */
export async function listCards(
  nvml: Nvml,
  pause: () => Promise<void>,
  isClosed: () => boolean,
): Promise<{ readonly cards: readonly Card[]; readonly driver: string | undefined }> {
  const driver = await nvml.driverVersion().catch(absent)
  const count = nvml.deviceCount()
  const cards: Card[] = []
  for (let index = 0; index < count && !isClosed(); index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one call at a time waits in the thread pool of the host program
    cards.push(await identify(nvml, index))
    // oxlint-disable-next-line no-await-in-loop -- the host program has its turn between two cards
    await pause()
  }
  return { cards, driver }
}

async function identify(nvml: Nvml, index: number): Promise<Card> {
  try {
    const device = await nvml.device(index)
    return { index, device, facts: await device.facts() }
  } catch (error) {
    return { index, error }
  }
}

function absent(error: unknown): undefined {
  if (error instanceof NvmlError) return undefined
  throw error
}
