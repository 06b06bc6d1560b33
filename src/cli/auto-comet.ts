import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Options } from '../config/option-table.ts'

/**
 * The options of a command that is to be logged to Comet without anybody having to say so: where an API key is given, by `COMET_API_KEY` or
 * in `.comet.config`, or `COMET_OFFLINE` is true, and `COMET_AUTO_LOG_CO2` is not false.
 */
export async function withComet(options: Options): Promise<Options> {
  const { outputMethods, offline } = options
  if (outputMethods.includes('comet') || offline || !mayWantComet()) return options
  const { wantsAutoLog } = await import('../integrations/comet/load-settings.ts')
  return wantsAutoLog() ? { ...options, outputMethods: [...outputMethods, 'comet'] } : options
}

/** Most have none, and load nothing for it. */
function mayWantComet(): boolean {
  if (Object.keys(process.env).some((name) => /^comet_(?:api_key|offline)$/i.test(name))) return true
  try {
    return [process.cwd(), homedir()].some((folder) => existsSync(join(folder, '.comet.config')))
  } catch {
    // A working directory that was removed, a user without a home.
    return false
  }
}
