import { withComet } from '../../auto-comet.ts'
import { withMlflow } from '../../auto-mlflow.ts'
import { loadOptions } from '../../config/load-options.ts'
import type { Options } from '../../config/option-table.ts'
import { fromCode } from '../../config/option-source.ts'
import { ConfigError, messageOf } from '../../core/errors.ts'
import { createLog, type Log } from '../../log.ts'
import { setProcessScopes } from '../../scopes/process-scopes.ts'
import { EmissionsTracker } from '../../tracker.ts'
import { holdProcess } from '../comet/hold-process.ts'
import { announceMailbox } from './mailbox-address.ts'
import { readMailbox } from './read-mailbox.ts'

/** A process that measures itself and its children. */
export interface BegunRoot {
  /** The option of that name. */
  readonly integrations: string
  readonly log: Log
}

/** Measures this process, by configuration alone. @returns `undefined` where it cannot be measured, which is told */
export async function beginRoot(): Promise<BegunRoot | undefined> {
  try {
    const { options, origins } = loadOptions(fromCode({}))
    const log = createLog({ level: options.logLevel, preamble: options.loggerPreamble })
    const outputs = await outputsFor(options)
    const tracker = new EmissionsTracker(outputs === options.outputMethods ? {} : { outputMethods: outputs })
    const close = readMailbox({
      scopes: tracker,
      begin: () => tracker.start().unattributed !== undefined,
      warn: (message) => {
        log('warning', message)
      },
    })
    if (close === undefined) {
      await measureNothing()
      return undefined
    }
    setProcessScopes(tracker)
    if (outputs.includes('comet')) stopBeforeEnd(tracker)
    // Children look at the environment alone.
    if (origins.integrations.kind !== 'default') process.env['CODECARBON_INTEGRATIONS'] = options.integrations
    return { integrations: options.integrations, log }
  } catch (error) {
    await measureNothing()
    const what = error instanceof ConfigError ? 'wrong configuration' : 'it cannot be measured'
    createLog({ level: 'error' })(
      'error',
      `codecarbon/register: this program is not tracked: ${what}: ${messageOf(error)}`,
    )
    return undefined
  }
}

/** Nobody is told anything: neither are children, whose configuration is as wrong. */
async function measureNothing(): Promise<void> {
  const { beginChild } = await import('./child.ts')
  announceMailbox(undefined)
  beginChild({ folder: undefined, isRead: () => false })
}

/** With Comet and MLflow as `codecarbon run` logs to them, where the environment asks for it. */
const outputsFor = async (options: Options): Promise<Options['outputMethods']> =>
  (await withMlflow(await withComet(options))).outputMethods

/** What an experiment of Comet is told in the end needs time, which a program that ends by itself gives it. At other ends an archive is written. */
function stopBeforeEnd(tracker: EmissionsTracker): void {
  process.once('beforeExit', () => {
    const release = holdProcess()
    void tracker.stop().finally(release)
  })
}
