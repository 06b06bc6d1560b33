import { makers, normaliseCpuName, tokensOf, withoutClockRate, type CpuTokens } from './cpu-name.ts'
import { cpuTable, type CpuRow } from './tables.ts'

/** A row and how the name led to it. */
export interface NameMatch {
  readonly row: CpuRow
  readonly matchedBy: 'exact' | 'normalised' | 'tokens'
}

/**
 * The row that a processor calls itself by: the very name, else the name without decoration, else the one row with the
 * same model words. A name that leaves a doubt has no row, since a wrong part is worse than none.
 */
export function findByName(name: string): NameMatch | undefined {
  const exact = cpuTable().named(name.trim())
  if (exact !== undefined) return { row: exact, matchedBy: 'exact' }

  const normalised = normaliseCpuName(name)
  return findNormalised(normalised) ?? findNormalised(withoutClockRate(normalised))
}

function findNormalised(name: string): NameMatch | undefined {
  const tokens = tokensOf(name)
  const candidates = candidatesFor(tokens)
  const same = candidates.filter((candidate) => candidate.normalised === name)
  if (same.length > 0) return { row: best(same), matchedBy: 'normalised' }

  if (isBareNumber(tokens)) return undefined
  const near = candidates.filter((candidate) => isSamePart(tokens, candidate.tokens))
  // "EPYC 8534P" is the part of these words, not the "EPYC Embedded 8534P".
  const nearest = near.filter((candidate) => hasSameWords(tokens, candidate.tokens))
  const [first, ...others] = nearest.length > 0 ? nearest : near
  // Two spellings of one name are one candidate.
  const isOnly = others.every((candidate) => candidate.normalised === first?.normalised)
  return first !== undefined && isOnly ? { row: best([first, ...others]), matchedBy: 'tokens' } : undefined
}

interface Candidate {
  readonly row: CpuRow
  readonly normalised: string
  readonly tokens: CpuTokens
}

/**
 * The rows that hold the longest model word. Masked names ("Intel(R) Xeon(R) CPU @ 2.20GHz", "AMD EPYC Processor") have no
 * such word, and no candidates. Normalising the whole table would take ten times as long.
 */
function candidatesFor({ models }: CpuTokens): Candidate[] {
  const anchor = [...models].reduce((longest, word) => (word.length > longest.length ? word : longest), '')
  if (anchor === '') return []
  return [...cpuTable().holding(anchor)].map((row) => {
    const normalised = normaliseCpuName(row[0])
    return { row, normalised, tokens: tokensOf(normalised) }
  })
}

/** Rows of one name in several lists: the surest, then the fullest, then the first. */
function best(candidates: readonly Candidate[]): CpuRow {
  const rank = ({ row: [, , confidence, , , cores] }: Candidate): number =>
    ['low', 'medium', 'high'].indexOf(confidence) * 2 + (typeof cores === 'number' ? 1 : 0)
  return candidates.reduce((leader, candidate) => (rank(candidate) > rank(leader) ? candidate : leader)).row
}

/** "6230", "B57" or "Intel 6230": several makers and families have parts of that number, listed or not. */
function isBareNumber({ models, words }: CpuTokens): boolean {
  return (
    [...models].every((word) => /^(\d+|.{1,3})$/.test(word)) && [...words].every((word) => makers.has(word))
  )
}

/**
 * Whether a name can mean a row: the same model words, and the other words of one among those of the other.
 * The name may leave out words of the row ("EPYC 7763", "i9-14900K"), and the digit of a family ("Ryzen 5800X").
 * The row may leave out only words that tell no parts apart: "Pro" does, "Virtual" does not.
 */
function isSamePart(name: CpuTokens, row: CpuTokens): boolean {
  if (![...name.models].every((word) => row.models.has(word))) return false
  if (![...row.models].every((word) => name.models.has(word) || /^i?\d$/.test(word))) return false
  if ([...name.words].every((word) => row.words.has(word))) return true
  if (name.models.size !== row.models.size) return false
  if (![...row.words].every((word) => name.words.has(word))) return false
  return [...name.words].every((word) => row.words.has(word) || !isPartWord(word))
}

/** The same words but for the maker, which people leave out. */
function hasSameWords(name: CpuTokens, row: CpuTokens): boolean {
  const extra = (a: CpuTokens, b: CpuTokens): boolean =>
    [...a.words].some((word) => !b.words.has(word) && !makers.has(word))
  return !extra(name, row) && !extra(row, name)
}

/** Whether the name of any part has the word. */
function isPartWord(word: string): boolean {
  for (const [name] of cpuTable().holding(word)) {
    if (normaliseCpuName(name).split(' ').includes(word)) return true
  }
  return false
}
