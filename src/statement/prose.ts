import { grams, toKilograms } from '../core/units.ts'
import { formatEnergy, formatShare } from '../exporters/text/quantity.ts'
import {
  componentTitles,
  cpuPhrase,
  embodiedPhrase,
  emissionsOf,
  emissionsRangeOf,
  energyOf,
  energyRangeOf,
  gapsOf,
  gpuPhrase,
  intensityPhrase,
  hoursOf,
  listed,
  marketPhrase,
  measuredPhrase,
  placePhrase,
  runsOf,
  sciPhrases,
  softwarePhrase,
  withRuns,
} from './phrases.ts'
import { scrapedPhrase, unseenPhrase } from './scraped-from.ts'
import type { Statement } from './statement.ts'
import { componentNames, type Sums } from './sums.ts'

/**
 * A statement in sentences, a list of them for each paragraph: use, circumstances, emissions. They are plain text with names from files in
 * them, to be escaped as a whole.
 */
export const proseOf = (statement: Statement): readonly (readonly string[])[] => [
  useSentences(statement),
  circumstanceSentences(statement),
  emissionSentences(statement),
]

function useSentences(statement: Statement): string[] {
  const { total, pues } = statement
  const { duration, period, energy } = total
  const when = period === undefined ? '' : `, recorded ${daysOf(period.first, period.last)},`
  const hours = duration.value === undefined ? '' : ` took ${hoursOf(total)} hours of computation`
  const joined = hours === '' ? '' : ' and'
  const subject = `${runsOf(statement)}${when}`
  const gaps = gapsOf(total)
  const unknown = gaps.length === 0 ? [] : [`Unknown is not counted as zero: ${gaps.join('; ')}.`]
  if (energy.value === undefined) {
    return [
      `${subject}${hours}${joined} used an amount of energy that could not be measured.`,
      ...unknown,
      ...scrapedSentences(statement),
    ]
  }
  const facts = [energyRangeOf(total), measuredPhrase(total)].filter((fact) => fact !== undefined)
  const isPlain = pues.every(({ pue }) => pue === 1)
  return [
    `${subject}${hours}${joined} used ${energyOf(total)} of energy${inBrackets(facts)}.`,
    ...partSentence(total),
    ...(isPlain
      ? []
      : [`This includes a PUE of ${listed(withRuns(pues, total, ({ pue }) => String(pue)))}.`]),
    ...unknown,
    ...scrapedSentences(statement),
  ]
}

function scrapedSentences({ scrapedFrom, total }: Statement): string[] {
  if (scrapedFrom === undefined) return []
  const unseen = unseenPhrase(scrapedFrom, total)
  return [
    `The figures are from ${scrapedPhrase(scrapedFrom)}.`,
    `${unseen.slice(0, 1).toUpperCase()}${unseen.slice(1)}.`,
    ...scrapedFrom.doubts.map((doubt) => `${doubt}.`),
  ]
}

function partSentence({ energy, components }: Sums): string[] {
  const parts = componentNames.flatMap((name) => {
    const part = components[name].energy
    if (part === undefined || part === 0) return []
    return [
      `${formatEnergy(part, energy.value)} by ${name === 'ram' ? 'memory' : `the ${componentTitles[name]}`}`,
    ]
  })
  return parts.length < 2 ? [] : [`That is ${listed(parts)}.`]
}

function circumstanceSentences(statement: Statement): string[] {
  const { total, places, cpus, gpus, trackingModes, software, intensities, embodiedSources } = statement
  const { carbonIntensity } = total
  return [
    ...sentence('Provider and place: ', withRuns(places, total, placePhrase)),
    ...(carbonIntensity === undefined
      ? []
      : [
          `Carbon efficiency of the electricity: ${Number(toKilograms(grams(carbonIntensity)).toPrecision(4))} kgCO2eq/kWh on average.`,
        ]),
    ...sentence('Sources of the carbon intensity: ', withRuns(intensities, total, intensityPhrase)),
    ...sentence(
      'Sources of the emissions of making the machines: ',
      withRuns(embodiedSources, total, ({ source }) => source),
    ),
    ...sentence('Hardware: ', [...withRuns(cpus, total, cpuPhrase), ...withRuns(gpus, total, gpuPhrase)]),
    ...sentence(
      'Tracking mode: ',
      withRuns(trackingModes, total, ({ mode }) => mode),
    ),
    ...sentence('Software: ', withRuns(software, total, softwarePhrase)),
  ]
}

function emissionSentences({ total, offsetShare, comparisons }: Statement): string[] {
  const range = emissionsRangeOf(total)
  const [first] = comparisons
  const { waterLitres } = total
  const [market, embodied] = [marketPhrase(total), embodiedPhrase(total)]
  if (total.emissions.value === undefined) return ['The emissions are unknown.']
  return [
    `Total emissions are estimated to be ${emissionsOf(total)}${inBrackets(range === undefined ? [] : [range])}.`,
    ...(offsetShare === undefined ? [] : [`Of these, ${formatShare(offsetShare)} were offset.`]),
    ...(first === undefined ? [] : [`They compare to ${first.text}.`]),
    ...(market === undefined
      ? []
      : [`By the contracts of the electricity (market-based) they are ${market}.`]),
    ...(embodied === undefined
      ? []
      : [`Making the machines emitted a further ${embodied}, for this time of their lives.`]),
    ...sentence('Software Carbon Intensity: ', sciPhrases(total)),
    ...(waterLitres.value === undefined
      ? []
      : [`Cooling took ${Number(waterLitres.value.toPrecision(3))} litres of water.`]),
  ]
}

const daysOf = (first: string, last: string): string => {
  const [from, to] = [first.slice(0, 10), last.slice(0, 10)]
  return from === to ? `on ${from}` : `from ${from} to ${to}`
}

const sentence = (title: string, items: readonly string[]): string[] =>
  items.length === 0 ? [] : [`${title}${items.join('; ')}.`]

const inBrackets = (facts: readonly string[]): string => (facts.length === 0 ? '' : ` (${facts.join('; ')})`)
