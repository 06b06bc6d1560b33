/**
 * What makers, kernels and vendors of virtual machines put around the name of a part. In this order, since the later
 * patterns rely on what the earlier ones have left. Everything is lower case by then.
 */
const decorations: readonly (readonly [RegExp, string])[] = [
  [/\((r|tm|c)\)|[®™©]/g, ' '],
  [/\s+/g, ' '],
  // "@ 2.60GHz" and all after it.
  [/@.*$/, ' '],
  // "(OEM Only)", "(1.6GHz Capable)"; other parentheses tell variants apart: "(105W)".
  [/\((oem only|[^)]*capable)\)/g, ' '],
  // "with Radeon Graphics", "w/ Radeon 780M Graphics", "RADEON R5, 10 COMPUTE CORES 4C+6G", "R7, 12 Compute Cores 4C+8G".
  [/(\bwith |\bw\/ ?)?\bradeon\b.*$/, ' '],
  [/( r\d+,)?,? \d+ compute cores.*$/, ' '],
  // "13th Gen", before the name in newer Intel strings and after the maker in AMD's lists.
  [/\b\d+(st|nd|rd|th) gen(eration)?\b/g, ' '],
  // "64-Core", "64-Cores", "Quad-Core", "Dual Core", and "Pentium Dual CPU".
  [/\b(\d+|single|dual|triple|quad|six|eight|twelve|sixteen)[ -]cores?\b/g, ' '],
  [/(?<=\bpentium )dual (?=cpu\b)/g, ' '],
  [/\b(cpu|processor|apu|soc|genuine|technology)\b/g, ' '],
  // Intel wrote "Core(TM)2 Duo", which lists make "Core2 Duo" or "Core 2 Duo".
  [/\bcore2\b/g, 'core 2'],
  [/[\s,_-]+/g, ' '],
  [/^ | $/g, ''],
  // "E5-2670 0": the version that the first E5 had no "v" for.
  [/(\be[357] \d{4}[a-z]?) 0 *$/, '$1'],
  // "Core(TM) i5 CPU M 520": the first mobile Core i told the suffix before the number.
  [/(\bi[357]) m (\d{3})$/, '$1 $2m'],
  [/(\bi[357]) q (\d{3})$/, '$1 $2qm'],
  [/(\bi[357]) ([lu]) (\d{3})$/, '$1 $3$2m'],
  [/(\bi[357]) x (\d{3})$/, '$1 $2xm'],
  // "AMD 7th Gen AMD PRO A10-9700".
  [/\b(\w+) (?=\1 )/g, ''],
]

/** A name without decoration, in lower case, with single spaces for hyphens: "intel xeon e5 2686 v4". */
export function normaliseCpuName(name: string): string {
  return decorations.reduce((text, [pattern, by]) => text.replace(pattern, by), name.toLowerCase()).trim()
}

/** The same without a clock rate at the end ("Core i7-8700 3.20GHz"). */
export function withoutClockRate(normalised: string): string {
  return normalised.replace(/ \d+(\.\d+)? ?[gm]hz$/, '')
}

/** The words of a normalised name, parted by what they tell. */
export interface CpuTokens {
  /** Words with a digit that name the model: `i9`, `14900k`, `v4`. */
  readonly models: ReadonlySet<string>
  /** Words without one: `intel`, `xeon`, `pro`. */
  readonly words: ReadonlySet<string>
}

export function tokensOf(normalised: string): CpuTokens {
  const tokens = normalised
    .replace(/[()]/g, ' ')
    .split(' ')
    .filter((token) => token !== '')
  return {
    models: new Set(tokens.filter((token) => /\d/.test(token))),
    words: new Set(tokens.filter((token) => !/\d/.test(token))),
  }
}

/** The words that name a maker, not a part. */
export const makers: ReadonlySet<string> = new Set(['intel', 'amd', 'apple', 'aws', 'ampere', 'via', 'arm'])
