/** What is found out about where a run takes place, by the names of OpenTelemetry's conventions. */
export type Detected = Readonly<Record<string, string | number>>

/** Where detectors look. */
export interface Surroundings {
  readonly environment: Readonly<NodeJS.ProcessEnv>
  readonly hostName: string
  /** Content of a file by its path; `undefined` where it is not read. */
  readonly read: (path: string) => string | undefined
}

/** The value of the first of some variables that is set, without spaces around it. */
export const firstSet = (
  environment: Surroundings['environment'],
  ...names: readonly string[]
): string | undefined =>
  names.map((name) => environment[name]?.trim()).find((value) => value !== undefined && value !== '')

/** Those that are known. */
export const known = (attributes: Readonly<Record<string, string | number | undefined>>): Detected =>
  Object.fromEntries(
    Object.entries(attributes).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== '',
    ),
  )
