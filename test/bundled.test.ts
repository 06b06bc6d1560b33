import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { rollup } from 'rollup'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** What bundlers make of `import.meta.url`: esbuild leaves nothing of it in CommonJS; in a module it is the address of the bundle. */
const bundles = [
  { format: 'cjs', url: 'undefined' },
  { format: 'es', url: null },
] as const

describe.each(bundles)('a program that has been bundled with this package as $format', ({ format, url }) => {
  it('is told once that it has to be external, and runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bundled-'))
    const program = join(folder, 'program.js')
    writeFileSync(join(folder, 'package.json'), '{ "name": "program" }')
    writeFileSync(
      program,
      `import { withCarbon } from '${join(root, 'dist/index.js')}'
       const work = withCarbon('work', () => 'worked')
       console.log(work(), work(), work())`,
    )
    const bundle = await rollup({
      input: program,
      external: (name) => !name.startsWith('.') && !name.startsWith('/'),
      plugins: [{ name: 'address', resolveImportMeta: (property) => (property === 'url' ? url : null) }],
    })
    const file = join(folder, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs')
    await bundle.write({ file, format, inlineDynamicImports: true })
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder })
    expect(stdout).toBe('worked worked worked\n')
    expect(stderr.match(/codecarbon has been bundled/g)).toHaveLength(1)
    expect(stderr).toContain('--external:codecarbon')
  }, 60_000)
})
