// Makes dist/ from what the compiler made in build/: a file for each entry of package.json, chunks for what they share or load later, and
// the types as they are. One file loads ten times faster than sixty.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { rollup } from 'rollup'
import { bundledPackages, isBundled, isOfBundled } from './bundled-packages.js'
import { root } from './ready.js'

const { bin, exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const targets = [...Object.values(bin), ...Object.values(entries).map((entry) => entry.default ?? entry)]
const names = [...new Set(targets)].flatMap((target) => /^(?:\.\/)?dist\/(.+)\.js$/.exec(target)?.[1] ?? [])

const [build, dist] = [join(root, 'build'), join(root, 'dist')]
const packages = bundledPackages()
/** In child processes they begin no tracker. */
const lightEntries = ['integrations/register/register', 'integrations/register/child']
/** @type {Map<string, Set<string>>} */
const neededByName = new Map()
const bundle = await rollup({
  input: Object.fromEntries(names.map((name) => [name, join(build, `${name}.js`)])),
  external: (name, importer) => !name.startsWith('.') && !isAbsolute(name) && !isBundled(name, importer),
  plugins: [packages.plugin, { name: 'one-byte', renderChunk: toOneByte }],
  onwarn: ({ code, message, id, ids }) => {
    // The compiler begins a file with that which imports by a name that it does not know.
    if (code === 'THIS_IS_UNDEFINED') return
    if (![id, ...(ids ?? [])].some(isOfBundled)) throw new Error(`bundle: ${message}`)
  },
})
rmSync(dist, { recursive: true, force: true })
await bundle.write({
  dir: dist,
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  hoistTransitiveImports: false,
  manualChunks: chunkOfEngine,
})
await bundle.close()
cpSync(build, dist, { recursive: true, filter: (path) => !path.endsWith('.js') })
writeFileSync(join(dist, 'third-party-licenses.txt'), packages.licences())

/**
 * What every tracker needs is few files: each more takes half a millisecond to load. Where less is wanted, no more than that is loaded.
 * @param {string} id @param {import('rollup').ManualChunkMeta} modules
 */
function chunkOfEngine(id, { getModuleInfo }) {
  if (!neededBy('index', getModuleInfo).has(id)) return null
  const users = lightEntries.filter((name) => neededBy(name, getModuleInfo).has(id))
  return ['engine', ...users.map((name) => basename(name))].join('-')
}

/** Modules that one of ours cannot be loaded without. @param {string} name @param {import('rollup').GetModuleInfo} getModuleInfo */
function neededBy(name, getModuleInfo) {
  let needed = neededByName.get(name)
  if (needed !== undefined) return needed
  needed = new Set([join(build, `${name}.js`)])
  for (const id of needed) for (const next of getModuleInfo(id)?.importedIds ?? []) needed.add(next)
  neededByName.set(name, needed)
  return needed
}

/**
 * One character beyond Latin-1 makes V8 keep the text of the whole file with two bytes for each: it is written as an escape.
 * @param {string} code
 */
function toOneByte(code) {
  return code.replaceAll(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
