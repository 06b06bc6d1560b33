import { withComet } from '../../auto-comet.ts'
import { withMlflow } from '../../auto-mlflow.ts'
import { loadOptions } from '../../config/load-options.ts'
import type { Options } from '../../config/option-table.ts'
import { fromCode } from '../../config/option-source.ts'
import { ConfigError, messageOf } from '../../core/errors.ts'
import { createLog } from '../../log.ts'
import { setProcessScopes } from '../../scopes/process-scopes.ts'
import { EmissionsTracker } from '../../tracker.ts'
import { announceMailbox } from './mailbox-address.ts'
import { MailboxScopes } from './mailbox-scopes.ts'
import { readMailbox } from './read-mailbox.ts'

/** Measures this process for itself and its children, by configuration alone. @returns whether it does, and the option `integrations` */
export async function beginRoot(): Promise<{ readonly isTracked: boolean; readonly integrations: string }> {
  try {
    const { options, origins } = loadOptions(fromCode({}))
    const tracker = new EmissionsTracker(await withTrackers(options))
    const close = readMailbox({
      scopes: tracker,
      begin: () => tracker.start().unattributed !== undefined,
      warn: (message) => {
        createLog({ level: options.logLevel, preamble: options.loggerPreamble })('warning', message)
      },
    })
    const isTracked = close !== undefined
    if (isTracked) setProcessScopes(tracker)
    else setNone()
    // Children look at the environment alone.
    if (origins.integrations.kind !== 'default') process.env['CODECARBON_INTEGRATIONS'] = options.integrations
    return { isTracked, integrations: options.integrations }
  } catch (error) {
    setNone()
    const what = error instanceof ConfigError ? 'wrong configuration' : 'it cannot be measured'
    createLog({ level: 'error' })(
      'error',
      `codecarbon/register: this program is not tracked: ${what}: ${messageOf(error)}`,
    )
    return { isTracked: false, integrations: 'none' }
  }
}

/** Nobody is told anything: neither are children, whose configuration is as wrong. */
function setNone(): void {
  announceMailbox(undefined)
  setProcessScopes(new MailboxScopes({ folder: undefined, isRead: () => false }))
}

/** Comet and MLflow as `codecarbon run` logs to them, where the environment asks for it. */
async function withTrackers(options: Options): Promise<Partial<Pick<Options, 'outputMethods'>>> {
  const { outputMethods } = await withMlflow(await withComet(options))
  return outputMethods === options.outputMethods ? {} : { outputMethods }
}
