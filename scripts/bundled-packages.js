// Packages that become part of dist/, see docs/adr/0011-bundled-otlp.md: those of OpenTelemetry that send metrics by HTTP, with what they need.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root } from './ready.js'

const bundled = [
  '@opentelemetry/exporter-metrics-otlp-http',
  '@opentelemetry/exporter-metrics-otlp-proto',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-metrics',
]
const modules = join(root, 'node_modules')

/** Whether a file is part of such a package. @param {string | undefined} id */
export const isOfBundled = (id) => id?.startsWith(modules) === true

/** Whether an import is of such a package, or by one. @param {string} name @param {string | undefined} importer */
export const isBundled = (name, importer) =>
  bundled.includes(name) || (isOfBundled(importer) && name.startsWith('@opentelemetry/'))

/** What rollup has to know of them, and what their licences ask for. */
export function bundledPackages() {
  /** @type {Set<string>} */
  const folders = new Set()
  return {
    /** @type {import('rollup').Plugin} */
    plugin: {
      name: 'bundled-packages',
      resolveId(name, importer) {
        const isInside = isOfBundled(importer) && name.startsWith('.')
        if (importer === undefined || (!isInside && !isBundled(name, importer))) return null
        const id = isInside ? moduleAt(join(dirname(importer), name)) : moduleOf(name, importer)
        folders.add(folderOf(id))
        return { id, moduleSideEffects: false }
      },
    },
    /** Their names, versions and licences, each text once. */
    licences() {
      /** @type {Map<string, string[]>} */
      const texts = new Map()
      for (const folder of [...folders].toSorted()) {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
        const text = readFileSync(join(folder, 'LICENSE'), 'utf8').trim()
        texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`])
      }
      return [...texts].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join('\n')
    },
  }
}

/** The file in modules of a package whose main file is in CommonJS. @param {string} name @param {string} importer */
function moduleOf(name, importer) {
  const common = createRequire(importer).resolve(name)
  return must(common.replace('/build/src/', '/build/esm/').replace(/\.cjs$/, '.mjs'))
}

/** Imports within them leave endings out. @param {string} path */
const moduleAt = (path) =>
  [path, `${path}.js`, join(path, 'index.js')].find((file) => /\.m?js$/.test(file) && existsSync(file)) ??
  must(path)

/** @param {string} path */
function must(path) {
  if (!existsSync(path)) throw new Error(`bundle: there is no ${path}`)
  return path
}

/** All of them have a scope. @param {string} id */
const folderOf = (id) =>
  join(
    modules,
    ...id
      .slice(modules.length + 1)
      .split(/[\\/]/)
      .slice(0, 2),
  )
