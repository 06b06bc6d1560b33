import { readFileSync } from 'node:fs'
import { createRequire, register as registerLoader } from 'node:module'
import { join } from 'node:path'

/** A package that is being loaded. */
export interface Loaded {
  /** As it was asked for in {@link watchPackages}. */
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly version: string | undefined
}

type OnLoad = (loaded: Loaded) => Loaded['exports']

/** As much of `require-in-the-middle` and `import-in-the-middle` as is used here. */
type Hook = (
  names: readonly string[],
  onLoad: (
    exports: Record<string, unknown>,
    name: string,
    baseDir: string | undefined,
    format?: string,
  ) => unknown,
) => unknown

/**
 * Calls back for each copy of these packages that is loaded, by `require` or by `import`, and lets it export what comes back. A package in CommonJS is given as it
 * is to `require`, whoever loads it.
 */
export async function watchPackages(names: readonly string[], onLoad: OnLoad): Promise<void> {
  const require = createRequire(import.meta.url)
  const { Hook: hookRequire } = require('require-in-the-middle') as { Hook: Hook }
  const { Hook: hookImport } = require('import-in-the-middle') as { Hook: Hook }
  await watchImports(names)
  hookRequire(names, (exports, name, baseDir) =>
    isObject(exports) ? onLoad({ name, exports, version: versionIn(baseDir) }) : exports,
  )
  hookImport(names, (namespace, name, baseDir, format) => {
    const version = versionIn(baseDir)
    const common = namespace['default']
    if (isCommon(namespace, format) && isObject(common)) {
      const exports = onLoad({ name, exports: common, version })
      if (exports !== common) replaceCommon(namespace, exports)
    } else {
      const exports = onLoad({ name, exports: namespace, version })
      if (exports !== namespace) replace(namespace, exports)
    }
  })
}

/** In this thread where Node can do so, which costs less; else in one of its own. */
async function watchImports(include: readonly string[]): Promise<void> {
  const { register, supportsSyncHooks } = await import('import-in-the-middle/register-hooks.mjs')
  if (supportsSyncHooks()) register({ include: [...include] })
  else registerLoader('import-in-the-middle/hook.mjs', import.meta.url, { data: { include } })
}

/** Modules have no export of that name of their own. */
const isCommon = (namespace: Record<string, unknown>, format: string | undefined): boolean =>
  format === undefined ? 'module.exports' in namespace : format.startsWith('commonjs')

function replaceCommon(namespace: Record<string, unknown>, exports: Loaded['exports']): void {
  replace(namespace, exports)
  for (const name of ['default', 'module.exports']) if (name in namespace) namespace[name] = exports
}

/** Names that the package does not export cannot be added. */
function replace(namespace: Record<string, unknown>, exports: Loaded['exports']): void {
  for (const [name, value] of Object.entries(exports)) {
    if (name in namespace && namespace[name] !== value) namespace[name] = value
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'function' || (typeof value === 'object' && value !== null)

function versionIn(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      version?: unknown
    }
    return typeof version === 'string' ? version : undefined
  } catch {
    // A package without one.
    return undefined
  }
}
