/**
 * Metrics of calls of models behind an API. Attributes are those of OpenTelemetry's conventions for generative AI.
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export const modelCallSpecs = {
  modelCallTokens: {
    name: 'codecarbon.model_call.tokens',
    instrument: 'counter',
    unit: '{token}',
    help: 'tokens of calls of models since the run began, where the provider told them',
    attributes: ['gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.token.type'],
  },
  modelCallRemoteEnergy: {
    name: 'codecarbon.model_call.remote.energy',
    instrument: 'counter',
    unit: 'J',
    help: 'estimate of what models have used elsewhere since the run began, by the factor that the user chose; no part of the energy of the run',
    attributes: ['gen_ai.provider.name', 'gen_ai.request.model', 'method'],
  },
  modelCallRemoteEmissions: {
    name: 'codecarbon.model_call.remote.emissions',
    instrument: 'counter',
    unit: 'g',
    help: 'estimate of the emissions of that energy in CO2 equivalents, of calls whose factor has a carbon intensity; no part of the emissions of the run',
    attributes: ['gen_ai.provider.name', 'gen_ai.request.model', 'method'],
  },
} as const
