/** What makers and drivers put around the name of a card, in lower case. */
const decorations: readonly (readonly [RegExp, string])[] = [
  [/\((r|tm|c)\)|[®™©]/g, ' '],
  // "TITAN X (Pascal)", "K520 (GRID)": the words tell cards apart, the parentheses do not.
  [/[()\s_-]+/g, ' '],
  // "Tesla" was the family of all NVIDIA cards for data centres until 2020; "HBM3" is the only memory of its card.
  [/\b(nvidia|amd|intel|corporation|tesla|graphics|gpu|edition|hbm\d\w?)\b/g, ' '],
]

/** The words of a name that tell cards apart: `a100`, `sxm4`, `80gb`. */
export function gpuTokens(name: string): ReadonlySet<string> {
  const bare = decorations.reduce((text, [pattern, by]) => text.replace(pattern, by), name.toLowerCase())
  return new Set(bare.split(/\s+/).filter((token) => token !== ''))
}
