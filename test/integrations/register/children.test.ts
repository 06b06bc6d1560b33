import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { startChild, type Child } from '../../fixtures/programs/child.ts'
import { node, preload, programPath } from '../../fixtures/programs/register/preload.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(join(folder, 'tmp'))
})

/** A scope of a child, as whoever measures is told of it. */
interface Told {
  readonly name: string
  readonly kind: string
  readonly labels: Readonly<Record<string, string>>
  readonly attribution: string
  readonly parent?: string
  /** Seconds. */
  readonly cpu: number
  readonly units: number
  readonly modelCalls: readonly object[]
  readonly outcome?: string
}

const start = (way: string, env: Readonly<Record<string, string>> = {}): Child =>
  startChild(node, [programPath('records-scopes.js'), programPath('jobs.js'), way], {
    folder,
    input: '',
    env: { TMPDIR: join(folder, 'tmp'), CHILD_OPTIONS: `--import ${preload}`, ...env },
  })

async function told(way: string): Promise<{ code: number | null; scopes: readonly Told[] }> {
  const { stdout, stderr } = await start(way).ended
  expect(stderr).toBe('')
  // Children begin no runs of their own.
  expect(readdirSync(folder).filter((name) => name.endsWith('.csv'))).toEqual([])
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  return JSON.parse(stdout.slice(stdout.indexOf('{'))) as { code: number | null; scopes: readonly Told[] }
}

describe('jobs of a child process', () => {
  it('are told with the CPU time that each used, and nothing of the rest', async () => {
    const { scopes } = await told('proportions')
    expect(scopes).toMatchObject([
      { name: 'small', kind: 'job', attribution: 'exact', outcome: 'ok' },
      { name: 'large', kind: 'job', attribution: 'exact', outcome: 'ok' },
    ])
    expect(scopes[0]?.cpu).toBeCloseTo(0.1, 1)
    expect(scopes[1]?.cpu).toBeCloseTo(0.3, 1)
  })

  it('are told with labels, functional units, nesting and outcome', async () => {
    const { scopes } = await told('details')
    expect(scopes).toMatchObject([
      { name: 'outer', labels: { tenant: 'a' }, units: 7, outcome: 'ok' },
      { name: 'inner', parent: 'outer', labels: { size: 'small' }, units: 0, outcome: 'ok' },
      { name: 'failing', outcome: 'error' },
    ])
    expect(scopes[1]?.cpu).toBeGreaterThanOrEqual(0.06)
    expect(scopes[0]?.cpu).toBeLessThan(0.06)
  })

  it('are told with the tokens of the models that they call, and the estimate', async () => {
    const { scopes } = await told('models')
    const name = 'FakeListChatModel'
    expect(scopes).toMatchObject([
      {
        name,
        kind: 'model call',
        modelCalls: [
          { provider: name, model: name, inputTokens: 12, outputTokens: 30, remoteEnergyJoules: 105 },
        ],
      },
    ])
  })

  it('share what is used while they interleave', async () => {
    const { scopes } = await told('interleaved')
    const [one, two] = scopes
    expect(one?.cpu).toBeCloseTo(two?.cpu ?? 0, 2)
    expect((one?.cpu ?? 0) + (two?.cpu ?? 0)).toBeGreaterThanOrEqual(0.16)
  })

  it('that process.exit() cuts off are unfinished', async () => {
    const { code, scopes } = await told('exit')
    expect(code).toBe(4)
    expect(scopes).toMatchObject([{ name: 'cut off', outcome: 'unfinished' }])
    expect(scopes[0]?.cpu).toBeGreaterThanOrEqual(0.05)
  })

  it('are lost where it is killed, but for what it had told', async () => {
    const { code, scopes } = await told('killed')
    expect(code).toBe(null)
    expect(scopes).toMatchObject([{ name: 'lost', outcome: 'lost' }])
    expect(scopes[0]?.cpu).toBeGreaterThan(0.02)
  })

  it('are told by forks of it, also by one with an environment of its own, and by workers of a cluster', async () => {
    expect((await told('forks')).scopes.map(({ name }) => name).toSorted()).toEqual([
      'large',
      'large',
      'small',
      'small',
    ])
    expect((await told('cluster')).scopes.map(({ name }) => name)).toEqual(['in a worker', 'in a worker'])
  })
})

describe('jobs of a worker thread', () => {
  it('are told with the time of the thread', async () => {
    const { scopes } = await told('thread')
    const [waiting, busy] = ['waits for a thread', 'in a thread'].map((name) =>
      scopes.find((scope) => scope.name === name),
    )
    expect(busy).toMatchObject({ outcome: 'ok', attribution: 'exact' })
    expect(busy?.cpu).toBeGreaterThanOrEqual(0.15)
    expect(waiting?.outcome).toBe('ok')
  })

  it('are told where a pool terminates its threads as soon as they are done', async () => {
    const { scopes } = await told('pool')
    expect(scopes).toMatchObject(
      [1, 2, 3].map(() => ({ name: 'pooled', outcome: 'ok', attribution: 'exact' })),
    )
    for (const { cpu } of scopes) expect(cpu).toBeGreaterThan(0.01)
  })

  it('are lost where it is terminated', async () => {
    const { scopes } = await told('terminated thread')
    expect(scopes).toMatchObject([{ name: 'cut off in a thread', outcome: 'lost' }])
  })
})

describe('whoever measures', () => {
  it('is told while the program runs', async () => {
    const child = start('killed', { TELL_AT_ONCE: '1' })
    await child.printed('begun lost')
    await child.printed('ended lost lost')
  })
})
