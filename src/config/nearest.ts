/**
 * The candidate that `word` was most likely meant to be, for "did you mean …?". Case does not count.
 *
 * @returns the closest candidate — of equals the one that begins most like the word, since people get beginnings right,
 *   then the first — or `undefined` where none is close: more than two letters in five would have to change.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const given = word.toLowerCase()
  let closest: string | undefined
  let fewest = Math.max(1, Math.floor(given.length * 0.4))
  let longestStart = -1
  for (const candidate of candidates) {
    const other = candidate.toLowerCase()
    const edits = editDistance(given, other, fewest + 1)
    const start = commonStart(given, other)
    if (edits < fewest || (edits === fewest && start > longestStart)) {
      fewest = edits
      longestStart = start
      closest = candidate
    }
  }
  return closest
}

function commonStart(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment),
 * or `limit` as soon as it cannot be fewer.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      let edits = Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, at(beforeLast, column - 2) + 1)
      }
      current.push(edits)
    }
    if (Math.min(...current) >= limit) return limit
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

const at = (row: readonly number[], column: number): number => row[column] ?? Infinity
