import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { frameworks } from '../../scripts/frameworks.js'
import { knownHooks } from '../../src/integrations/register/known-hooks.ts'

import { isInRange } from '../../src/integrations/register/version-range.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/hooks.md')

it('the page about hooks has a row for every name of a hook, with its packages and their versions', async () => {
  const [, table = ''] = /^\| name .*\n\|[- |]+\n((?:\|.*\n)+)/m.exec(page) ?? []
  const told = table
    .trimEnd()
    .split('\n')
    .map((row) => {
      const [, name, , packages = ''] = row.split('|')
      return [name?.trim(), [...packages.matchAll(/`([^`]+)`/g)].map(([, word]) => word)]
    })
  const known = await Promise.all(
    knownHooks.map(async ({ name, alias, packages, load }) => {
      const { versions } = await load()
      return [name, ...(alias === undefined ? [] : [alias])].map((word) => [
        `\`${word}\``,
        versions === undefined ? packages : [...packages, versions],
      ])
    }),
  )
  expect(told).toEqual(known.flat())
})

interface Row {
  readonly packageName: string
  readonly by: string
  readonly range: string
  readonly passed: readonly string[]
  readonly leftAlone: readonly string[]
}

/** What the table of versions has. */
function versionRows(): readonly Row[] {
  const [, table = ''] = /^\| framework .*\n\|[- |]+\n((?:\|.*\n)+)/m.exec(page) ?? []
  return table
    .trimEnd()
    .split('\n')
    .map((row) => {
      const [, packageName = '', by = '', range = '', passed = '', leftAlone = ''] = row
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', ''))
      const list = (cell: string): string[] =>
        cell === '' ? [] : cell.replaceAll(/ \(.*?\)/g, '').split(', ')
      return { packageName, by, range, passed: list(passed), leftAlone: list(leftAlone) }
    })
}

it('the table of versions has every framework with what its hook knows, or what is tried', async () => {
  const expected = await Promise.all(
    frameworks.map(async ({ package: packageName, hook, range }) => {
      const known = await knownHooks.find(({ name }) => name === hook)?.load()
      return {
        packageName,
        by: hook === undefined ? 'its author' : `hook ${hook}`,
        range: known?.versions ?? range,
      }
    }),
  )
  expect(versionRows().map(({ packageName, by, range }) => ({ packageName, by, range }))).toEqual(expected)
})

it('every hook of a package is in the table of versions', () => {
  const tried = new Set(frameworks.map(({ hook }) => hook))
  expect(knownHooks.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([])
})

it('the table of versions has the ends of every supported major, and nothing else has passed', () => {
  const majorOf = (version: string): number => Number(version.split('.')[0])
  for (const { packageName, range, passed, leftAlone } of versionRows()) {
    expect(passed.filter((version) => !isInRange(version, range))).toEqual([])
    expect(leftAlone.filter((version) => isInRange(version, range))).toEqual([])
    const [, first = NaN, last = NaN] = /^>=(\d+)\S* <(\d+)$/.exec(range)?.map(Number) ?? []
    const majors = Array.from({ length: last - first }, (_, index) => first + index)
    expect([packageName, ...new Set(passed.map(majorOf))]).toEqual([packageName, ...majors])
  }
})

it('can be installed beside every version of a framework: those that a hook does not know are left alone', () => {
  const { peerDependencies } = JSON.parse(read('package.json')) as {
    peerDependencies: Record<string, string>
  }
  const asked = frameworks.map((framework) => peerDependencies[framework.package] ?? '*')
  expect(new Set(asked)).toEqual(new Set(['*']))
})

it('the page about hooks names the file of the preload', () => {
  const { exports } = JSON.parse(read('package.json')) as {
    exports: { './register': { default: string } }
  }
  expect(page).toContain(`node_modules/codecarbon${exports['./register'].default.slice(1)} `)
})
