/** Names of jobs and queues that are told apart; a program may have one for each customer, and each is a series of metrics. */
const mostNames = 100
const longestName = 100

/** What those are called that came too late. */
export const otherNames = 'other'

/**
 * Keeps names few and short: the first hundred stay as they are, up to a hundred characters each, and all later ones are `other`.
 *
 * @example
 * const bound = createNameBound()
 * bound('resize') // 'resize', now and ever after
 */
export function createNameBound(most: number = mostNames): (name: unknown) => string {
  const known = new Set<string>()
  return (name) => {
    const text = typeof name === 'string' && name !== '' ? name.slice(0, longestName) : 'unnamed'
    if (known.has(text)) return text
    if (known.size >= most) return otherNames
    known.add(text)
    return text
  }
}
