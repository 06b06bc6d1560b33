import { readFileSync } from 'node:fs'

/** The text of a file of sysfs, read once; `undefined` where it is not there, may not be read or is empty. */
export function readAttribute(path: string): string | undefined {
  let text: string
  try {
    text = readFileSync(path, 'latin1').trim()
  } catch {
    // Not every driver has every file: what is not told is unknown.
    return undefined
  }
  return text === '' ? undefined : text
}

/** The whole number in a file of sysfs, read once. */
export function readNumber(path: string): number | undefined {
  const text = readAttribute(path)
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined
}
