import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/core/errors.ts'

test('docs/errors.md lists every code with a cause and a remedy, and no other', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `(ERR_\w+)` +\| (.+?) +\| (.+?) +\|$/gm)]
  expect(rows.map(([, code]) => code)).toEqual([...errorCodes])
  for (const [, , cause, remedy] of rows) expect([cause, remedy]).not.toContain('')
})
