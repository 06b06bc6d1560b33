import { buffer } from 'node:stream/consumers'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startServer } from '../fixtures/local-server.ts'
import { runProgram } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const packages = process.env['E2E_TRACKERS']
if (packages === undefined) {
  console.log(
    'Skipped: Opik and Weights & Biases. Set E2E_TRACKERS to a folder in which opik and @wandb/sdk are installed.',
  )
}

/** What a program sent, by the path that it was sent to. */
type Sent = readonly { readonly path: string; readonly body: string }[]

async function sentBy(program: string, addressVariable: string, answer: (body: string) => object) {
  const sent: { path: string; body: string }[] = []
  const { url } = await startServer((request, response) => {
    void buffer(request).then((bytes) => {
      const body = bytes.toString()
      sent.push({ path: request.url ?? '', body })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer(body)))
    })
  })
  const folder = temporaryFolder()
  const env = {
    TRACKER_PACKAGES: packages ?? '',
    CODECARBON_OUTPUT_DIR: join(folder, 'out'),
    [addressVariable]: url,
  }
  const ended = await runProgram(program, [], { folder, env })
  return { ended, sent: sent as Sent }
}

describe.skipIf(packages === undefined)('the real Opik', () => {
  it('has energy and emissions at each span and at the trace, beside the metadata of others', async () => {
    const { ended, sent } = await sentBy('opik-trace.js', 'OPIK_URL_OVERRIDE', () => ({}))
    expect(ended.code).toBe(0)
    expect(ended.stdout).toContain('{"found":2}\n')
    expect(ended.stdout).toContain('as it should\n')
    interface Entity {
      readonly id: string
      readonly name: string
      readonly metadata: {
        readonly mine?: number
        readonly model?: string
        readonly carbon?: Record<string, unknown>
      }
    }
    const of = (path: string, key: string): Entity[] =>
      sent
        .filter((one) => one.path.endsWith(path))
        .flatMap(({ body }) => (JSON.parse(body) as Record<string, Entity[]>)[key] ?? [])
    const spans = of('/spans/batch', 'spans')
    const traces = of('/traces/batch', 'traces')
    const byName = (list: readonly Entity[], name: string): Entity['metadata'] | undefined =>
      list.findLast((one) => one.name === name)?.metadata
    const energy = (metadata: Entity['metadata'] | undefined): number =>
      Number(metadata?.carbon?.['energy_kwh'])
    expect(spans.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'answer',
      'failing',
      'retrieve',
    ])
    expect(byName(spans, 'answer')).toMatchObject({ mine: 1, carbon: { country_iso_code: 'FRA' } })
    expect(byName(spans, 'retrieve')).toMatchObject({
      model: 'small',
      carbon: { components: { cpu: { method: 'estimated' } } },
    })
    expect(energy(byName(spans, 'retrieve'))).toBeGreaterThan(0)
    expect(energy(byName(spans, 'failing'))).toBeGreaterThan(0)
    expect(energy(byName(traces, 'answer'))).toBe(energy(byName(spans, 'answer')))
    const scores = sent.filter(({ path }) => path.endsWith('feedback-scores')).map(({ body }) => body)
    expect(scores.join('').match(/"name":"emissions_g"/g)).toHaveLength(5)
  })
})

describe.skipIf(packages === undefined)('the real module of Weights & Biases', () => {
  it('is told figures at a flush and at the end, tasks and facts', async () => {
    const bucket = {
      id: 'b',
      name: 'n',
      displayName: 'd',
      project: { id: 'p', name: 'digits', entity: { id: 'e', name: 'ada' } },
    }
    const { ended, sent } = await sentBy('wandb-run.js', 'WANDB_BASE_URL', (body) => {
      if (body.includes('upsertBucket')) return { data: { upsertBucket: { bucket, inserted: true } } }
      if (body.includes('viewer')) return { data: { viewer: { id: 'v', entity: 'ada', flags: '{}' } } }
      return {}
    })
    expect(ended.code).toBe(0)
    const rows = sent
      .filter(({ path }) => path.endsWith('/file_stream'))
      .flatMap(
        ({ body }) =>
          (JSON.parse(body) as { files?: Record<string, { content: string[] }> }).files?.[
            'wandb-history.jsonl'
          ]?.content ?? [],
      )
      .map((row) => JSON.parse(row) as Record<string, unknown>)
    expect(rows.map((row) => Object.keys(row)[0])).toEqual([
      'loss',
      'carbon/duration',
      expect.stringContaining('carbon/task_') as string,
      'carbon/duration',
    ])
    expect(Number(rows[1]?.['carbon/energy_consumed'])).toBeGreaterThan(0)
    expect(rows[2]).toMatchObject({ 'carbon/task_step/epoch': 1 })
    expect(rows[3]).toMatchObject({
      'carbon/country': 'France',
      'carbon/cpu_method': 'estimated (cpu-estimate)',
    })
  })
})
