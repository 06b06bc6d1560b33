import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fetchNode } from '../../scripts/newer-node.js'
import { startChild } from '../fixtures/programs/child.ts'
import { postgresPrograms, startPostgres } from '../fixtures/programs/postgres.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const packages = process.env['E2E_JOBS']
const programs = postgresPrograms()
const isRun = packages !== undefined && programs !== undefined
if (!isRun) {
  console.log(
    'Skipped: pg-boss. It needs PostgreSQL, of the package postgresql of Debian; and set E2E_JOBS to a folder in which pg-boss is installed, as .ci/run does.',
  )
}

const worker = fileURLToPath(new URL('../fixtures/programs/pg-boss-worker.js', import.meta.url))

interface Told {
  readonly name: string
  readonly outcome: string
  readonly count: number
  readonly labels: Readonly<Record<string, string>>
  readonly hasEnergy: boolean
}

describe.skipIf(!isRun)('pg-boss on a real PostgreSQL', () => {
  // It needs Node.js 22.12.
  const node = isRun ? fetchNode('24') : ''

  it.each(['author', 'hook'])('has a scope for each call of a handler, measured by the %s', async (by) => {
    const address = await startPostgres(programs ?? '')
    const env = { DATABASE_URL: address, JOB_PACKAGES: packages ?? '' }
    const { code, stdout, stderr } = await startChild(node, [worker, by], { folder: temporaryFolder(), env })
      .ended
    expect(stderr.replaceAll(/.*ExperimentalWarning.*\n/g, '')).toBe('')
    expect(code).toBe(0)
    const { seen, rows, told } = JSON.parse(stdout) as { seen: string[]; rows: object[]; told: Told[] }
    expect(seen).toEqual(['mails', 'mails', 'mails'])
    expect(rows).toEqual([{ answer: 42 }])
    const endsOf = (queue: string): string[] =>
      told.filter(({ name }) => name === queue).map(({ outcome }) => outcome)
    expect(endsOf('mails')).toEqual(['completed', 'completed', 'completed'])
    expect(endsOf('failing')).toEqual(['failed', 'failed'])
    expect(endsOf('transactions')).toEqual(['completed'])
    expect(endsOf('results')).toEqual(['partly failed', 'completed'])
    const batches = told.filter(({ name }) => name === 'batches')
    expect(batches).toMatchObject([{ outcome: 'completed', labels: { queue: 'batches', batch: 'true' } }])
    if (by === 'author') expect(batches[0]?.count).toBe(4)
    expect(told.every(({ hasEnergy }) => hasEnergy)).toBe(true)
  })
})
