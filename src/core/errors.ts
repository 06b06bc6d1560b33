/**
 * Codes of deliberate errors and of the problems that stand beside figures. They follow what the caller should do;
 * `docs/errors.md` lists each with cause and remedy.
 */
export const errorCodes = [
  'ERR_PROBE_UNAVAILABLE',
  'ERR_PROBE_READ',
  'ERR_PROBE_GONE',
  'ERR_COUNTER_GAP',
  'ERR_UNMEASURED',
  'ERR_OPTION_INVALID',
  'ERR_PLACE_UNKNOWN',
  'ERR_INTENSITY_UNAVAILABLE',
  'ERR_EXPORT_FAILED',
  'ERR_RUN_REFUSED',
  'ERR_REPORTER_UNKNOWN',
  'ERR_FILE_UNREADABLE',
  'ERR_NO_RUNS',
  'ERR_QUERY_FAILED',
  'ERR_LOGIN_FAILED',
  'ERR_API_REFUSED',
] as const

/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number]

/** A deliberate error: a stable `code`, and a message that says what was wrong and what to do. */
export class EnergyError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EnergyError'
    this.code = code
  }
}

/** A wrong option, wherever it came from (code `ERR_OPTION_INVALID`). */
export class ConfigError extends EnergyError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OPTION_INVALID', message, options)
    this.name = 'ConfigError'
  }
}

/** Why a probe cannot be used here, and the exact command, mount or setting that would change that. */
export class ProbeUnavailable extends EnergyError {
  readonly remedy: string | undefined

  constructor(reason: string, remedy?: string, options?: ErrorOptions) {
    super('ERR_PROBE_UNAVAILABLE', reason, options)
    this.name = 'ProbeUnavailable'
    this.remedy = remedy
  }
}

/** The text of anything that was thrown. Never throws itself. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    // An object without a text, or one whose own conversion throws.
    return 'something without a text was thrown'
  }
}
