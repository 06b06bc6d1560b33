export { carbonAi, type CarbonAi } from './carbon-ai.ts'
export { carbonTelemetry, type CarbonTelemetry } from './carbon-telemetry.ts'
export type { OperationEvent } from './operations.ts'
export { ecologitsFactor, type EcologitsModel } from '../model-calls/ecologits-factor.ts'
export { publishedFactors, type PublishedFactorName } from '../model-calls/published-factors.ts'
export type { ModelCallSum, RemoteSum } from '../model-calls/call-sums.ts'
export type { ModelCallRecord, TokenCounts } from '../model-calls/model-call.ts'
export type { ModelCallOptions } from '../model-calls/model-calls.ts'
export type {
  ModelName,
  RemoteEstimate,
  RemoteFactor,
  RemoteFactorOption,
} from '../model-calls/remote-factor.ts'
