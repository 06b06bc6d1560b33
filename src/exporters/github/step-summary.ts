import { dirname } from 'node:path'
import { EnergyError, messageOf } from '../../core/errors.ts'
import { appendWhole } from '../../files/append.ts'
import { withLockSync } from '../../files/file-lock.ts'
import { makeDirectory } from '../../files/make-directory.ts'

/**
 * What GitHub takes from one step; of a file that is longer it shows nothing at all
 * (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits).
 */
export const mostBytes: number = 1024 * 1024

/** The variable by which GitHub Actions names the file of a step. */
export const stepSummaryVariable = 'GITHUB_STEP_SUMMARY'

/** The file of the step that this process runs in, where GitHub Actions runs it. */
export function stepSummaryPath(environment: NodeJS.ProcessEnv): string | undefined {
  const path = environment[stepSummaryVariable]?.trim()
  return path === '' ? undefined : path
}

/**
 * Appends Markdown to the summary of a step, whole or not at all: what others have written there is not to be lost.
 *
 * @throws EnergyError ERR_EXPORT_FAILED where the file cannot be written, or would be longer than GitHub takes
 */
export function appendStepSummary(path: string, markdown: string): void {
  try {
    makeDirectory(dirname(path))
    withLockSync(path, (to) => {
      appendWhole(to, ({ size, isTorn }) => {
        const text = isTorn ? `\n\n${markdown}` : markdown
        if (size + Buffer.byteLength(text) <= mostBytes) return text
        throw new Error('with more than 1 MiB GitHub would show nothing of this step; nothing is added')
      })
    })
  } catch (cause) {
    throw new EnergyError('ERR_EXPORT_FAILED', `job summary ${path}: ${messageOf(cause)}`, { cause })
  }
}
