import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'

/**
 * Which of these packages a program may load, as far as its folder and the working directory with all folders above tell: most programs have few of them, and
 * then nothing has to watch what they load. Where packages are kept in no such folder, all of them.
 */
export function findInstalled(
  packages: readonly string[],
  { program, workingDirectory }: { readonly program: string | undefined; readonly workingDirectory: string },
): ReadonlySet<string> {
  if (process.versions['pnp'] !== undefined) return new Set(packages)
  const found = new Set<string>()
  const folders = new Set([
    ...foldersAbove(workingDirectory),
    ...(program === undefined ? [] : foldersAbove(dirname(program))),
  ])
  for (const folder of folders) {
    const modules = join(folder, 'node_modules')
    if (!existsSync(modules)) continue
    for (const name of packages) if (existsSync(join(modules, packageOf(name)))) found.add(name)
    for (const name of inStore(join(modules, '.pnpm'), packages)) found.add(name)
  }
  return found
}

/** `@scope/name/part` is part of `@scope/name`. */
const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

function foldersAbove(folder: string): string[] {
  const { root } = parse(folder)
  return folder === root || dirname(folder) === folder ? [folder] : [folder, ...foldersAbove(dirname(folder))]
}

/** pnpm links packages only where they are asked for, which may be in any part of a workspace; its store has all. */
function inStore(store: string, packages: readonly string[]): readonly string[] {
  let entries: readonly string[]
  try {
    entries = readdirSync(store)
  } catch {
    return []
  }
  return packages.filter((name) => {
    const beginning = `${packageOf(name).replace('/', '+')}@`
    return entries.some((entry) => entry.startsWith(beginning))
  })
}
