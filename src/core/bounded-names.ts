/** Names that are told apart: a careless program names each task by its time, or has one for each customer, and each is a series of metrics. */
export const mostNames = 100
/** Characters of a name that are kept, in UTF-16: it is written in each bucket of three histograms, at each scrape. */
export const longestName = 128
/** What all others are called. */
export const otherNames = '_other'

/**
 * Keeps names few and short: the first ones stay as they are, but for their length, and all later ones are `_other`. Half of a surrogate pair has no UTF-8: each
 * would be written as the same replacement character, in two series of one name, so it is that character from here on.
 *
 * @example
 * const bound = createNameBound()
 * bound('resize') // 'resize', now and ever after
 */
export function createNameBound(most: number = mostNames): (name: unknown) => string {
  const known = new Set<string>()
  return (name) => {
    const text = String(name)
      .slice(0, longestName)
      .replace(/\p{Surrogate}/gu, '\uFFFD')
    if (known.size < most) known.add(text)
    return known.has(text) ? text : otherNames
  }
}
