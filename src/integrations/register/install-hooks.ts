import { realpathSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { messageOf } from '../../core/errors.ts'
import { chooseHooks } from './choose-hooks.ts'
import { findInstalled } from './installed-packages.ts'
import type { KnownHook } from './known-hooks.ts'
import type { LibraryHook } from './library-hook.ts'
import { isInRange } from './version-range.ts'
import type { Loaded } from './watch-packages.ts'

/** What hooks are installed with. */
export interface InstallOptions {
  /** `all`, `none`, or a list of their names. */
  readonly integrations: string
  readonly warn: (message: string, isAboutNames: boolean) => void
}

/**
 * Turns on the hooks that are asked for: at once those without packages, and those of modules of Node; the others when their packages are loaded. What is not
 * installed is not watched for, unless it was asked for by name.
 */
export async function installHooks(
  known: readonly KnownHook[],
  { integrations, warn }: InstallOptions,
): Promise<void> {
  const { hooks: chosen, isByName, problem } = chooseHooks(integrations, known)
  if (problem !== undefined) warn(problem, true)
  const names = chosen.flatMap(({ packages }) => packages.filter((name) => !isBuiltin(name)))
  const installed = isByName || names.length === 0 ? new Set(names) : findInstalled(names, whereWeAre())
  const wanted = chosen.filter(
    ({ packages }) =>
      packages.length === 0 || packages.some((name) => isBuiltin(name) || installed.has(name)),
  )
  const installers = (await Promise.all(wanted.map((hook) => load(hook, warn)))).filter(
    (installer) => installer !== undefined,
  )
  const byPackage = new Map<string, Installer[]>()
  for (const installer of installers) {
    const { packages, name: ownName } = installer.hook
    if (packages.length === 0) installer.install({ name: ownName, exports: {}, version: undefined })
    for (const name of packages) {
      if (isBuiltin(name)) installer.install({ name, exports: requireBuiltin(name), version: undefined })
      else byPackage.set(name, [...(byPackage.get(name) ?? []), installer])
    }
  }
  if (byPackage.size === 0) return
  const { watchPackages } = await import('./watch-packages.ts')
  await watchPackages([...byPackage.keys()], (loaded) => {
    let { exports } = loaded
    for (const { install } of byPackage.get(loaded.name) ?? []) exports = install({ ...loaded, exports })
    return exports
  })
}

const requireBuiltin = (name: string): Loaded['exports'] =>
  createRequire(import.meta.url)(name) as Loaded['exports']

function whereWeAre(): { program: string | undefined; workingDirectory: string } {
  const [, program] = process.argv
  const attempt = (find: () => string): string | undefined => {
    try {
      return find()
    } catch {
      // A program from standard input, or a working directory that was removed.
      return undefined
    }
  }
  return {
    program: program === undefined ? undefined : attempt(() => realpathSync(program)),
    workingDirectory: attempt(() => process.cwd()) ?? '/',
  }
}

interface Installer {
  readonly hook: LibraryHook
  /** @returns what is to be exported */
  readonly install: (loaded: Loaded) => Loaded['exports']
}

async function load(hook: KnownHook, warn: InstallOptions['warn']): Promise<Installer | undefined> {
  try {
    return createInstaller(await hook.load(), (message) => {
      warn(message, false)
    })
  } catch (error) {
    warn(`the hook of ${hook.name} could not be loaded: ${messageOf(error)}`, false)
    return undefined
  }
}

/** Installs a hook once into each copy of a package, and says once what is wrong with it. */
function createInstaller(hook: LibraryHook, warn: (message: string) => void): Installer {
  const replaced = new WeakMap<object, Loaded['exports']>()
  const told = new Set<string>()
  const tell = (message: string, what = message): void => {
    if (told.has(what)) return
    told.add(what)
    warn(message)
  }
  return {
    hook,
    install({ name, exports, version }) {
      const known = replaced.get(exports)
      if (known !== undefined) return known
      let result = exports
      const { versions } = hook
      if (version !== undefined && versions !== undefined && !isInRange(version, versions)) {
        // The packages of a hook are parts of one library.
        tell(`${name} ${version} is not measured: the hook of ${hook.name} knows ${versions}`, version)
      } else {
        try {
          const given = hook.install(exports, { name, version })
          if (isExports(given)) result = given
        } catch (error) {
          tell(`the hook of ${hook.name} could not be installed into ${name}: ${messageOf(error)}`)
        }
      }
      replaced.set(exports, result)
      replaced.set(result, result)
      return result
    },
  }
}

const isExports = (value: unknown): value is Loaded['exports'] =>
  typeof value === 'function' || (typeof value === 'object' && value !== null)
