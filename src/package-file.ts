import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const name = 'codecarbon'
const bundled = `${name} has been bundled into the program, and its data are not there: let it be external (esbuild --external:${name}, or external of Rollup, Vite and webpack)`

/** `undefined` in bundles of CommonJS. */
const here = import.meta.url as string | undefined
let root: URL | undefined

/**
 * A file of this package by its path from the package's root, wherever the build put this code.
 * @throws Error where this code is part of a bundle
 */
export function packageFile(path: string): URL {
  root ??= findRoot(new URL('.', whereWeAre()))
  return new URL(path, root)
}

/**
 * Loads packages that this one needs.
 * @throws Error where this code is part of a bundle of CommonJS
 */
export const ownRequire = (): NodeJS.Require => createRequire(whereWeAre())

function whereWeAre(): string {
  if (here === undefined) throw new Error(bundled)
  return here
}

function findRoot(folder: URL): URL {
  if (isOurs(new URL('package.json', folder))) return folder
  const parent = new URL('..', folder)
  if (parent.href === folder.href) throw new Error(bundled)
  return findRoot(parent)
}

function isOurs(file: URL): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: unknown }).name === name
  } catch {
    return false
  }
}
