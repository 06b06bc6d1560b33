import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { knownHooks } from '../../src/integrations/register/known-hooks.ts'

const page = readFileSync(new URL('../../docs/hooks.md', import.meta.url), 'utf8')

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
