/** Detectors by the names of OpenTelemetry's own, and those of this package. */
const groups = ['env', 'host', 'os', 'process', 'container', 'k8s', 'cloud'] as const
/** Clouds have a detector each there. */
const clouds = ['alibaba', 'aws', 'azure', 'gcp']
/** The id of an instance is that of the run, whatever is asked for. */
const others = ['serviceinstance']

/** One of the detectors. */
export type DetectorName = (typeof groups)[number]

/** Which detectors are asked. */
export interface Selection {
  has(name: DetectorName): boolean
  /** Whether that provider is among them. */
  hasCloud(provider: string): boolean
  /** Names that are none, neither here nor there. */
  readonly unknown: readonly string[]
}

/**
 * Reads OTEL_NODE_RESOURCE_DETECTORS: `all`, which is the default, `none`, or a list of names.
 * https://opentelemetry.io/docs/zero-code/js/configuration/
 */
export function selectDetectors(text: string | undefined): Selection {
  const given = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const isAll = given.length === 0 || given.includes('all')
  const isNone = given.includes('none')
  const has = (name: string): boolean => !isNone && (isAll || given.includes(name))
  const words = new Set<string>(['all', 'none', ...groups, ...clouds, ...others])
  return {
    has,
    hasCloud: (provider) => has('cloud') || has(provider),
    unknown: given.filter((name) => !words.has(name)),
  }
}
