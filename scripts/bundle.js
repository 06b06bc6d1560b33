// Makes dist/ from what the compiler made in build/: a file for each entry of package.json, chunks for what they share or load later, and
// the types as they are. One file loads ten times faster than sixty.
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { rollup } from 'rollup'
import { root } from './ready.js'

const { bin, exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const targets = [...Object.values(bin), ...Object.values(entries).map((entry) => entry.default ?? entry)]
const names = [...new Set(targets)].flatMap((target) => /^(?:\.\/)?dist\/(.+)\.js$/.exec(target)?.[1] ?? [])

const [build, dist] = [join(root, 'build'), join(root, 'dist')]
const bundle = await rollup({
  input: Object.fromEntries(names.map((name) => [name, join(build, `${name}.js`)])),
  external: (name) => !name.startsWith('.') && !isAbsolute(name),
  onwarn: ({ message }) => {
    throw new Error(`bundle: ${message}`)
  },
})
rmSync(dist, { recursive: true, force: true })
await bundle.write({
  dir: dist,
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  hoistTransitiveImports: false,
})
await bundle.close()
cpSync(build, dist, { recursive: true, filter: (path) => !path.endsWith('.js') })
