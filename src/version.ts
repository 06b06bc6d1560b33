import { readFileSync } from 'node:fs'
import { packageFile } from './package-file.ts'

interface PackageFacts {
  readonly version: string
  readonly homepage?: string
}

let facts: PackageFacts | undefined

/** Version of this package, from its package.json. */
export const packageVersion = (): string => packageFacts().version

/** Address of its documentation, where its package.json has one. */
export const packageHomepage = (): string | undefined => packageFacts().homepage

const packageFacts = (): PackageFacts =>
  (facts ??= JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as PackageFacts)
