import { tokenCount, type TokenCounts } from '../model-calls/model-call.ts'

/** As much of a result as is looked at: never a text. */
interface ResultOfModel {
  readonly generations?: unknown
  readonly llmOutput?: { readonly tokenUsage?: unknown; readonly estimatedTokenUsage?: unknown } | null
}

/**
 * Tokens of a result of a model: those of its messages, or else the sums that older classes tell beside them. Answers to one prompt share what their provider told.
 */
export function usageOf(result: unknown): Partial<TokenCounts> {
  const { generations, llmOutput } = (result ?? {}) as ResultOfModel
  const prompts = Array.isArray(generations) ? generations : []
  const told = prompts.flatMap((answers: unknown) =>
    Array.isArray(answers) ? (answers.map(usageOfAnswer).find((usage) => usage !== undefined) ?? []) : [],
  )
  if (told.length > 0) return { input: sumOf(told, 'input'), output: sumOf(told, 'output') }
  const sums = (llmOutput?.tokenUsage ?? llmOutput?.estimatedTokenUsage ?? {}) as Record<string, unknown>
  return { input: tokenCount(sums['promptTokens']), output: tokenCount(sums['completionTokens']) }
}

function usageOfAnswer(answer: unknown): TokenCounts | undefined {
  const usage = (answer as { message?: { usage_metadata?: Record<string, unknown> } } | null)?.message
    ?.usage_metadata
  if (usage === undefined || usage === null) return undefined
  return { input: tokenCount(usage['input_tokens']), output: tokenCount(usage['output_tokens']) }
}

function sumOf(counts: readonly TokenCounts[], kind: keyof TokenCounts): number | undefined {
  const known = counts.flatMap((count) => count[kind] ?? [])
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0)
}
