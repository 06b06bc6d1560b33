/**
 * Measures the power, energy and CO2 of computing work.
 * @module codecarbon
 */
export { EmissionsTracker, OfflineEmissionsTracker } from './tracker.ts'
export type { DetectedHardware, Task, TrackerOptions } from './tracker.ts'
export { trackEmissions } from './track-emissions.ts'
export type { Track } from './track-emissions.ts'
export { withCarbon } from './with-carbon.ts'
export type { WithCarbonOptions } from './with-carbon.ts'
export { currentScope } from './scopes/current-scope.ts'
export type {
  Attribution,
  CurrentScope,
  LateName,
  ScopeKind,
  ScopeLabels,
  ScopeOptions,
  ScopeRecord,
  WorkScope,
} from './scopes/work-scope.ts'
export type { ScopeTotal } from './core/scope-totals.ts'
export type { ScopeSource } from './scopes/process-scopes.ts'
export type { OutputHandler } from './output-handler.ts'
export type { Logger } from './log.ts'
export type {
  ComponentRecord,
  DomainRecord,
  EmissionsData,
  IntensityRecord,
  PlaceRecord,
  TaskEmissionsData,
} from './core/emissions-data.ts'
export type { Exporter, Reason, Report } from './core/exporter.ts'
export type { Snapshot } from './core/snapshot.ts'
export type { Usage } from './core/usage.ts'
export { ConfigError, EnergyError } from './core/errors.ts'
export type { ErrorCode } from './core/errors.ts'
export { estimateCpuPower } from './core/power-model.ts'
export type { CpuPowerInput, PowerEstimate } from './core/power-model.ts'
export { carbonIntensity } from './grid/intensity.ts'
export { findCpu } from './cpu/find-cpu.ts'
export type { CpuPart } from './cpu/find-cpu.ts'
