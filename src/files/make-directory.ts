import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it that are missing. Not by `mkdirSync`'s own `recursive`, which never returns where a file system
 * answers that a folder cannot be made because it is not there, as procfs does.
 *
 * @throws the error of the file system
 */
export function makeDirectory(path: string): void {
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // It was there, or another process was faster; the root of a drive answers in ways of its own.
    if (!existsSync(path) || !statSync(path).isDirectory()) throw error
  }
}
