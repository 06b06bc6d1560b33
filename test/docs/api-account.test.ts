import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runCli } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const page = readFileSync(new URL('../../docs/api-account.md', import.meta.url), 'utf8')

/** Flags that other commands have, too, or that are explained where options are. */
const usual = new Set(['--help', '--log-level', '--no-', '--api-endpoint'])

it.each(['login', 'logout', 'init', 'get-token', 'test-api'])(
  'the page about accounts names every flag of %s',
  async (command) => {
    const { stdout } = await runCli([command, '--help'], { folder: temporaryFolder() })
    const flags = new Set([...stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, flag = '']) => flag))
    expect(flags.size).toBeGreaterThan(0)
    expect([...flags].filter((flag) => !usual.has(flag) && !page.includes(flag))).toEqual([])
    expect(page).toMatch(new RegExp(String.raw`^\| \`${command}\b`, 'm'))
  },
)
