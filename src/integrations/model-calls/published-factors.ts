import type { RemoteFactor } from './remote-factor.ts'

/** A key of {@link publishedFactors}. */
export type PublishedFactorName = 'ml-energy-llama-3.1-8b' | 'ml-energy-qwen-3-32b' | 'samsi-llama-65b'

/**
 * Factors that were measured and published, in joules for each output token of a model that is known. All are of the graphics cards alone: processors, memory, cooling and idle servers come on top.
 * They say what such a model took in that test, not what a provider's does; none is chosen by itself.
 */
export const publishedFactors: Readonly<Record<PublishedFactorName, RemoteFactor>> = {
  /** Batches of 64; the interval is the progress of vLLM from 0.5.4 to 0.11.1. https://ml.energy/blog/measurement/energy/llm-inference-energy-a-longitudinal-analysis */
  'ml-energy-llama-3.1-8b': {
    name: 'ml-energy-llama-3.1-8b',
    source:
      'ML.ENERGY Benchmark 2.0 and 3.0 (2024, 2025): Llama 3.1 8B on one NVIDIA H100, graphics card alone',
    energyJoulesPerOutputToken: 0.12,
    low: 0.12,
    high: 0.2,
  },
  /** Conversation in batches of 128, of 512 (low), and solving problems in batches of 128 (high). https://ml.energy/blog/measurement/energy/diagnosing-inference-energy-consumption-with-the-mlenergy-leaderboard-v30 */
  'ml-energy-qwen-3-32b': {
    name: 'ml-energy-qwen-3-32b',
    source: 'ML.ENERGY Benchmark 3.0 (2025): Qwen 3 32B on one NVIDIA B200, graphics card alone',
    energyJoulesPerOutputToken: 0.209,
    low: 0.151,
    high: 0.312,
  },
  /** "About 3 to 4 J" for each decoded token; here their middle. https://arxiv.org/abs/2310.03003 */
  'samsi-llama-65b': {
    name: 'samsi-llama-65b',
    source: 'Samsi et al., From Words to Watts (2023): LLaMA 65B on NVIDIA A100s, graphics cards alone',
    energyJoulesPerOutputToken: 3.5,
    low: 3,
    high: 4,
  },
}
