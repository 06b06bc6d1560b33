import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ModelCallRecord, ModelCallSum } from '../../src/integrations/ai/ai.ts'
import type { ScopeRecord } from '../../src/scopes/work-scope.ts'
import { runProgram, startChild } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const packages = process.env['E2E_AI']
if (packages === undefined) {
  console.log(
    'Skipped: AI SDK, ONNX Runtime and transformers.js. Set E2E_AI to a folder in which ai, zod, onnxruntime-node, @huggingface/transformers and node@22 are installed.',
  )
}

const environment = (folder: string): Record<string, string> => ({
  AI_PACKAGES: packages ?? '',
  CODECARBON_OUTPUT_DIR: join(folder, 'out'),
  CODECARBON_LOG_LEVEL: 'error',
})

/** The AI SDK needs Node 22. */
function newerNode(): string {
  const fetched = join(packages ?? '', 'node_modules/node/bin/node')
  return existsSync(fetched) ? fetched : process.execPath
}

describe.skipIf(packages === undefined)('the real AI SDK', () => {
  interface Measured {
    readonly door: string
    readonly lines: string[]
    readonly report: ModelCallSum[]
    readonly told: ModelCallRecord[]
  }

  it('is measured by its channel, by an integration, and by both, which count once', async () => {
    const folder = temporaryFolder()
    const program = join(import.meta.dirname, '../fixtures/programs/ai-calls.js')
    const env = environment(folder)
    const ended = await startChild(newerNode(), [program], { folder, env, input: '' }).ended
    expect(ended.stderr).toBe('as it should\n'.repeat(3))
    expect(ended.stdout).not.toContain('secret')
    const [channel, both, integration] = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Measured)
    const scopes = (abortedAs: string): string[] => [
      'answer||ok',
      'small-1|answer|ok',
      'weather|answer|ok',
      'small-1|answer|ok',
      'streamText||ok',
      'small-1|streamText|ok',
      'small-1||ok',
      'generateText||error',
      'small-1|generateText|error',
      `streamText||${abortedAs}`,
      `small-1|streamText|${abortedAs}`,
    ]
    expect(channel?.lines).toEqual(scopes('aborted'))
    // Where nothing is recorded, the AI SDK does not say why something failed.
    expect(both?.lines).toEqual(scopes('error'))
    expect(integration?.lines).toEqual(scopes('aborted'))
    // The channel alone tells no tokens of the stream.
    expect(channel?.report).toMatchObject([
      { provider: 'acme', model: 'small-1', calls: 6, failedCalls: 2, inputTokens: 25, outputTokens: 40 },
    ])
    expect(both?.report).toMatchObject([{ calls: 12, outputTokens: 40 + 60 }])
    expect(integration?.report).toMatchObject([
      { calls: 6, inputTokens: 35, outputTokens: 60, remote: { method: 'estimated', calls: 3 } },
    ])
    const [first] = channel?.told ?? []
    expect(first?.local?.energyJoules).toBeGreaterThan(0)
    expect(first?.remote?.energyJoules).toBeCloseTo(20 * 0.209, 9)
  })
})

describe.skipIf(packages === undefined)('the real ONNX Runtime', () => {
  it('has its inferences measured, by the names of their models, in pipelines and alone', async () => {
    const folder = temporaryFolder()
    const ended = await runProgram('onnx-inference.js', [], { folder, env: environment(folder) })
    expect(ended.stderr).toBe('')
    const [sum, message, records = ''] = ended.stdout.trimEnd().split('\n')
    expect([sum, message]).toEqual(['2,2,2,2', "input 'b' is missing in 'feeds'."])
    const told = JSON.parse(records) as ScopeRecord[]
    expect(told.map(({ name, isNested, outcome }) => [name, isNested, outcome])).toEqual([
      ['add-one', false, 'ok'],
      ['add', false, 'ok'],
      ['add-one', true, 'ok'],
      ['add', false, 'ok'],
      ['add-one', true, 'ok'],
      ['add-one', false, 'error'],
    ])
    expect(new Set(told.map(({ kind }) => kind))).toEqual(new Set(['inference']))
    expect(told[0]?.energyJoules).toBeGreaterThan(0)
  })
})

describe.skipIf(packages === undefined)('the real transformers.js', () => {
  it('has its pipelines measured, and their inferences as parts of them', async () => {
    const folder = temporaryFolder()
    const ended = await runProgram('transformers-pipeline.js', [], { folder, env: environment(folder) })
    expect(ended.stderr).toBe('')
    const [answer, records = ''] = ended.stdout.trimEnd().split('\n')
    expect(answer).toBe('second text-classification true')
    expect(JSON.parse(records) as ScopeRecord[]).toMatchObject([
      { name: 'classify', kind: 'inference', isNested: false, outcome: 'ok' },
      { name: 'model', kind: 'inference', isNested: true, outcome: 'ok' },
    ])
  })
})
