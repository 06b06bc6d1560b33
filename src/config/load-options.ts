import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile, type ConfigFile } from './config-file.ts'
import { fromEnvironment, fromFile, type OptionSource } from './option-source.ts'
import { resolveOptions, type ResolvedOptions } from './resolve-options.ts'

/** Options, and the files that were read for them. */
export interface LoadedOptions extends ResolvedOptions {
  readonly files: readonly string[]
}

/** Where options are looked for. */
export interface Places {
  readonly environment: NodeJS.ProcessEnv
  readonly home: string | undefined
  readonly workingDirectory: string | undefined
}

const fileName = '.codecarbon.config'

/**
 * Options from all places, lowest first: defaults, `~/.codecarbon.config`, `./.codecarbon.config`, `CODECARBON_*` variables, and what the
 * program or the command line gives.
 *
 * @throws ConfigError for a wrong value that nothing overrides, an unknown option in code or on the command line, an unreadable file
 */
export function loadOptions(given: OptionSource, places: Places = ownPlaces()): LoadedOptions {
  const { environment, home, workingDirectory } = places
  const homeFile = home === undefined ? undefined : readConfigFile(join(home, fileName))
  const isOneFolder = realFolder(home) === realFolder(workingDirectory)
  const nearFile =
    workingDirectory === undefined || isOneFolder
      ? undefined
      : readConfigFile(join(workingDirectory, fileName))
  const files = [homeFile, nearFile].filter((file): file is ConfigFile => file !== undefined)
  const resolved = resolveOptions(
    fromFile('home', homeFile?.entries ?? []),
    fromFile('working directory', nearFile?.entries ?? []),
    fromEnvironment(environment),
    given,
  )
  return {
    ...resolved,
    files: files.map(({ path }) => path),
    warnings: [...files.flatMap(({ warnings }) => warnings), ...resolved.warnings],
  }
}

const ownPlaces = (): Places => ({
  environment: process.env,
  home: attempt(homedir),
  workingDirectory: attempt(() => process.cwd()),
})

/** A home may be a link to the working directory. */
const realFolder = (folder: string | undefined): string | undefined =>
  folder === undefined ? undefined : (attempt(() => realpathSync(folder)) ?? folder)

/** A user without a home, or a working directory that was removed, has no file there. */
function attempt(find: () => string): string | undefined {
  try {
    const folder = find()
    return folder === '' ? undefined : folder
  } catch {
    return undefined
  }
}
