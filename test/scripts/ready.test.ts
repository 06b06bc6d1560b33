import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { compiledFrom, root } from '../../scripts/ready.js'

/** A script and what it imports of this package. */
function withImports(path: string): string[] {
  const imports = readFileSync(path, 'utf8').matchAll(/ from '(\.[^']+)'/g)
  return [path, ...[...imports].flatMap(([, name = '']) => withImports(join(dirname(path), name)))]
}

test('dist/ is made again when any of the scripts that make it has changed', () => {
  expect(compiledFrom()).toEqual(expect.arrayContaining(withImports(join(root, 'scripts/bundle.js'))))
})

test('dist/ is made again when a source, an entry of the package or a bundled package has changed', () => {
  const files = ['src/index.ts', 'package.json', 'package-lock.json', 'tsconfig.build.json']
  expect(compiledFrom()).toEqual(expect.arrayContaining(files.map((file) => join(root, file))))
})
