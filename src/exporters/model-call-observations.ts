import type { ModelCallUse } from '../core/model-calls.ts'
import type { Observation } from './observations.ts'

/** Series of calls of models. Tokens that no provider told, and what nobody chose a factor for, have none. */
export function observeModelCalls(totals: readonly ModelCallUse[]): Observation[] {
  return totals.flatMap(
    ({ provider, model, inputTokens, outputTokens, remoteEnergyJoules, remoteEmissionsGrams }) => {
      const name = { 'gen_ai.provider.name': provider, 'gen_ai.request.model': model }
      const estimated = { ...name, method: 'estimated' }
      return [
        ...one('modelCallTokens', inputTokens, { ...name, 'gen_ai.token.type': 'input' }),
        ...one('modelCallTokens', outputTokens, { ...name, 'gen_ai.token.type': 'output' }),
        ...one('modelCallRemoteEnergy', remoteEnergyJoules, estimated),
        ...one('modelCallRemoteEmissions', remoteEmissionsGrams, estimated),
      ]
    },
  )
}

const one = (
  metric: Observation['metric'],
  value: number | undefined,
  attributes: Observation['attributes'],
): Observation[] => (value === undefined ? [] : [{ metric, value, attributes }])
