import { loadOptions } from '../../config/load-options.ts'
import { fromCode } from '../../config/option-source.ts'
import type { Logger } from '../../log.ts'
import type { TrackerOptions } from '../../tracker.ts'

/** Test files take seconds: measured as rarely as a service is, all of them would look alike. */
const usualSecs = 1

/**
 * The options of a tracker of tests: those given, and what differs where nobody has said it anywhere.
 *
 * @param writesSummary the reporter itself adds to the summary of the job, which the tracker then must not
 * @throws ConfigError for a wrong option
 */
export function trackerOptions(
  given: TrackerOptions,
  logger: Logger,
  writesSummary: boolean,
): TrackerOptions {
  const { options, origins } = loadOptions(fromCode(given, ['outputHandlers', 'exporters', 'logger']))
  return {
    ...given,
    logger: given.logger ?? logger,
    ...(origins.measurePowerSecs.kind === 'default' ? { measurePowerSecs: usualSecs } : {}),
    ...(writesSummary && options.outputMethods.includes('github')
      ? { outputMethods: options.outputMethods.filter((method) => method !== 'github') }
      : {}),
  }
}
