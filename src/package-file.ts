import { existsSync } from 'node:fs'

let root: URL | undefined

/** A file of this package by its path from the package's root, wherever the build put this code. */
export function packageFile(path: string): URL {
  root ??= findRoot(new URL('.', import.meta.url))
  return new URL(path, root)
}

function findRoot(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder
  const parent = new URL('..', folder)
  if (parent.href === folder.href) throw new Error('the package.json of codecarbon is not there')
  return findRoot(parent)
}
