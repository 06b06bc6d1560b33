import { tokenCount, type TokenCounts } from '../model-calls/model-call.ts'

/** Tokens as the AI SDK tells them: of a provider as sums with parts, of a step as numbers, of embeddings as one number. */
export function usageOf(usage: unknown): Partial<TokenCounts> {
  if (typeof usage !== 'object' || usage === null) return {}
  const { inputTokens, outputTokens, tokens } = usage as Record<string, unknown>
  return { input: total(inputTokens) ?? tokenCount(tokens), output: total(outputTokens) }
}

const total = (count: unknown): number | undefined =>
  tokenCount(typeof count === 'object' && count !== null ? (count as { total?: unknown }).total : count)
