/** Whether a version lies in a range such as `>=4 <7` or `^2.1 || ^3`. A version before a release counts as the release. */
export function isInRange(version: string, range: string): boolean {
  const given = toNumbers(version)
  return range.split('||').some((part) =>
    part
      .trim()
      .split(/\s+/)
      .every((comparator) => holds(given, comparator)),
  )
}

function holds(version: readonly number[], comparator: string): boolean {
  const [, operator = '', bound = ''] = /^(>=|<=|>|<|=|\^|~)?\s*v?([\d.]*)/.exec(comparator) ?? []
  const limit = toNumbers(bound)
  switch (operator) {
    case '>=':
      return compare(version, limit) >= 0
    case '>':
      return compare(version, limit) > 0
    case '<=':
      return compare(version, limit) <= 0
    case '<':
      return compare(version, limit) < 0
    case '^':
      return compare(version, limit) >= 0 && isSame(version, limit, limit.findIndex((part) => part > 0) + 1)
    case '~':
      return compare(version, limit) >= 0 && isSame(version, limit, 2)
    default:
      // `5` and `5.2` name all versions that begin so, and nothing at all any.
      return isSame(version, limit, limit.length)
  }
}

const toNumbers = (version: string): readonly number[] =>
  version === '' ? [] : (version.split(/[-+]/)[0] ?? '').split('.').map(Number)

function compare(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

const isSame = (a: readonly number[], b: readonly number[], parts: number): boolean =>
  b.slice(0, parts).every((part, index) => part === (a[index] ?? 0))
