import { readFileSync } from 'node:fs'
import { packageFile } from './package-file.ts'

let cached: string | undefined

/** Version of this package, from its package.json. */
export function packageVersion(): string {
  cached ??= (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version
  return cached
}
