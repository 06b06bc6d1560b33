import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Options } from './config/option-table.ts'

/**
 * The options of a command or a program that is to be logged to Comet without anybody having to say so: where an API key is given or an archive is asked for, by
 * `COMET_API_KEY`, `COMET_OFFLINE` or in `.comet.config`, and `COMET_AUTO_LOG_CO2` is not false.
 */
export async function withComet(options: Options): Promise<Options> {
  const { outputMethods, offline } = options
  if (outputMethods.includes('comet') || offline || !mayBeMeant()) return options
  const { wantsAutoLog } = await import('./integrations/comet/load-settings.ts')
  return wantsAutoLog() ? { ...options, outputMethods: [...outputMethods, 'comet'] } : options
}

/** Most say nothing of Comet, and load nothing for it. */
function mayBeMeant(): boolean {
  const isMeant = (name: string): boolean => /^comet_(?:api_key|offline|start_online)$/i.test(name)
  if (Object.keys(process.env).some(isMeant)) return true
  try {
    return [process.cwd(), homedir()].some((folder) => existsSync(join(folder, '.comet.config')))
  } catch {
    // A working directory that was removed, a user without a home.
    return false
  }
}
