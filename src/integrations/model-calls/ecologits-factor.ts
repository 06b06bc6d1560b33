import { ConfigError } from '../../core/errors.ts'
import { energyOver, fromKilowattHours, seconds, watts } from '../../core/units.ts'
import type { RemoteFactor } from './remote-factor.ts'

/** A model and where it runs, for {@link ecologitsFactor}. */
export interface EcologitsModel {
  /** That take part in each token; of a dense model all of them. */
  readonly activeParametersBillions: number
  /** That have to be held in memory. @default the active ones */
  readonly totalParametersBillions?: number | undefined
  /** Power usage effectiveness of the data centre. @default 1.2 */
  readonly pue?: number | undefined
  /** Carbon intensity of its electricity, in grams of CO2 equivalents per kWh. */
  readonly gramsPerKwh?: number | undefined
}

/** Requests that the method takes to be served together; the most in the data that it was fitted to. */
const usualBatch = 64
const largestBatch = 512
/** "Increasing batch size reduces energy per token by 3-5x" (ML.ENERGY Benchmark 3.0, 2025): servers that batch little may need that much more. */
const unbatchedTimes = 5
/** Of a server like AWS p5.48xlarge, without its graphics cards; it has eight, of 80 GB. */
const serverWatts = 1200
const cardsOfServer = 8
const gigabytesOfCard = 80
/** The method takes parameters to have 16 bits, 20 % of memory to come on top, and cards to be used by powers of two. */
const gigabytesPerBillion = (1.2 * 16) / 8

/**
 * The factor of a model of this size by the method of EcoLogits: graphics cards, server and data centre. The method gives no interval: the low end is its energy in the largest batches that it was
 * fitted to, the high end five times its energy, as for servers that hardly batch.
 *
 * Sizes of models behind APIs are mostly not published; EcoLogits lists what it takes them to be.
 *
 * Source: EcoLogits 0.11.3, https://ecologits.ai/latest/methodology/llm_inference/, coefficients as in its module `impacts.llm`; Rincé and Banse, https://doi.org/10.21105/joss.07471
 *
 * @throws ConfigError for numbers that cannot be
 * @example
 * new CarbonCallbackHandler({ remoteFactor: ecologitsFactor({ activeParametersBillions: 70, gramsPerKwh: 384 }) })
 */
export function ecologitsFactor(model: EcologitsModel): RemoteFactor {
  const { activeParametersBillions: active, totalParametersBillions: total = active, pue = 1.2 } = model
  if (!(active > 0 && total >= active && Number.isFinite(total)))
    throw new ConfigError(
      'ecologitsFactor: expected activeParametersBillions above 0, and totalParametersBillions no fewer',
    )
  if (!(pue >= 1 && Number.isFinite(pue))) throw new ConfigError('ecologitsFactor: pue: expected 1 or more')

  const cards = 2 ** Math.ceil(Math.log2(Math.ceil((gigabytesPerBillion * total) / gigabytesOfCard)))
  const energy = (batch: number): number =>
    pue * (cards * cardEnergy(active, batch) + serverEnergy(active, batch, cards))
  const usual = energy(usualBatch)
  return {
    name: `ecologits-${active}b`,
    source: `EcoLogits 0.11, Environmental Impacts of LLM Inference (2025): ${active} billion active parameters of ${total}, ${cards} NVIDIA H100, PUE ${pue}`,
    energyJoulesPerOutputToken: usual,
    low: energy(largestBatch),
    high: unbatchedTimes * usual,
    gramsPerKwh: model.gramsPerKwh,
  }
}

/** Joules of one card for a token: 1.167e-6 × e^(-1.121e-2 × batch) × active + 4.053e-5, in Wh. */
const cardEnergy = (active: number, batch: number): number =>
  fromKilowattHours(1.1665e-9 * Math.exp(-1.1206e-2 * batch) * active + 4.0529e-8)

/** Joules of the rest of the server for a token, which takes 6.785e-4 × active + 3.119e-4 × batch + 1.947e-2, in seconds. */
const serverEnergy = (active: number, batch: number, cards: number): number =>
  energyOver(
    watts((serverWatts * cards) / cardsOfServer / batch),
    seconds(6.7851e-4 * active + 3.1193e-4 * batch + 1.9474e-2),
  )
