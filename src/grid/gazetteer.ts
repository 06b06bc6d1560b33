import { placeTable, type PlaceRow } from './tables.ts'

/**
 * A word as it is compared: without case, accents, dots and apostrophes; runs of spaces, hyphens and underscores as
 * one space. "Québec" is "quebec", "US_CA" is "us ca", "Washington, D.C." is "washington dc".
 */
export function fold(word: string): string {
  // Most words are plain, and a run begins by folding all names of countries: this way takes a tenth of the time.
  if (/^[A-Za-z]+( [A-Za-z]+)*$/.test(word)) return word.toLowerCase()
  return word
    .normalize('NFD')
    .replace(/[\p{M}.,'’]/gu, '')
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim()
}

/** Places of one level by folded spelling. */
type Index = ReadonlyMap<string, PlaceRow>

let countryIndex: Index | undefined
const subdivisionIndexes = new Map<string, Index>()

/** The countries by alpha-3 code, alpha-2 code, English name and other spellings. */
export function countries(): Index {
  return (countryIndex ??= indexOf(
    placeTable().rows.filter((row) => !isSubdivision(row)),
    (row) => [row.countryIsoCode, row.code],
  ))
}

/** The states or provinces of a country by code (`CA-QC`, `QC`), name and other spellings; none for most countries. */
export function subdivisions(countryIsoCode: string): Index {
  const known = subdivisionIndexes.get(countryIsoCode)
  if (known !== undefined) return known
  const rows = placeTable().rows.filter((row) => isSubdivision(row) && row.countryIsoCode === countryIsoCode)
  const index = indexOf(rows, (row) => [row.code, row.code?.slice(3)])
  subdivisionIndexes.set(countryIsoCode, index)
  return index
}

/** Countries whose states or provinces are known. */
export const countriesWithRegions: readonly string[] = ['USA', 'CAN']

/** The state or province that a word means without its country: two letters are not enough (`CA`, `NL`). */
export function subdivisionAnywhere(word: string): PlaceRow | undefined {
  const folded = fold(word)
  if (folded.length === 2) return undefined
  const found = countriesWithRegions.flatMap((country) => subdivisions(country).get(folded) ?? [])
  return found.length === 1 ? found[0] : undefined
}

/** The country that a word means; its alpha-3 code, which is what most give, is found without folding all the others. */
export function findCountry(word: string): PlaceRow | undefined {
  const code = word.toUpperCase()
  const byCode = placeTable().rows.find((row) => row.countryIsoCode === code && !isSubdivision(row))
  return byCode ?? countries().get(fold(word))
}

/** The country that a zone of Electricity Maps lies in: its name begins with the country's alpha-2 code. */
export function countryOfZone(zone: string): PlaceRow | undefined {
  const [code] = zone.split('-', 1)
  return placeTable().rows.find((row) => row.code === code)
}

/** The English name of a country's code. */
export function countryName(countryIsoCode: string): string | undefined {
  return findCountry(countryIsoCode)?.name
}

/** Country codes have no hyphen, codes of ISO 3166-2 have one. */
const isSubdivision = (row: PlaceRow): boolean => row.code?.includes('-') ?? false

function indexOf(rows: readonly PlaceRow[], codes: (row: PlaceRow) => (string | undefined)[]): Index {
  const spellings = (row: PlaceRow): (string | undefined)[] => [
    ...codes(row),
    row.name,
    ...(row.alternatives?.split('|') ?? []),
  ]
  return new Map(
    rows.flatMap((row) =>
      spellings(row).flatMap((spelling) => (spelling === undefined ? [] : [[fold(spelling), row] as const])),
    ),
  )
}
