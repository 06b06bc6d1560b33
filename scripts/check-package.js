// What would be published: every entry of `exports` is there and right (publint, are-the-types-wrong), and nothing else goes out.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must, root, tool } from './ready.js'

const allowed = [
  /^dist\/[\w./-]+\.(js|d\.ts)$/,
  /^dist\/integrations\/register\/required\.(cjs|d\.cts)$/,
  /^dist\/third-party-licenses\.txt$/,
  /^data\/[\w-]+\.json$/,
  /^panels\/comet\/[\w-]+\.(js|css|py|md)$/,
  /^(package\.json|README\.md|LICENSE|ATTRIBUTION\.md)$/,
]

const folder = mkdtempSync(join(tmpdir(), 'codecarbon-pack-'))
try {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  const [packed] = JSON.parse(output)
  const paths = packed.files.map((/** @type {{ path: string }} */ file) => file.path)
  const strays = paths.filter((/** @type {string} */ path) => !allowed.some((pattern) => pattern.test(path)))
  if (strays.length > 0) fail(`these files should not be published: ${strays.join(', ')}`)

  const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const targets = Object.values(entries).flatMap(targetsOf)
  const missing = targets.filter((target) => !paths.includes(String(target).replace('./', '')))
  if (missing.length > 0) fail(`package.json exports files that are not published: ${missing.join(', ')}`)

  const archive = join(folder, packed.filename)
  must(process.execPath, [join(root, 'node_modules/publint/src/cli.js'), archive, '--strict'])
  tool('attw', archive, '--profile', 'esm-only', '--format', 'ascii', '--quiet')
  console.log(`package: ${paths.length} files, ${Math.round(packed.size / 1024)} kB packed`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The files that an entry of `exports` names. @param {unknown} entry @returns {unknown[]} */
function targetsOf(entry) {
  return typeof entry === 'object' && entry !== null ? Object.values(entry).flatMap(targetsOf) : [entry]
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message)
  process.exit(1)
}
