// Runs the built package's smoke test under every Node line that is supported. The binaries come from the `node` package on npm and are
// kept outside the repository.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchNode, installPacked } from './newer-node.js'
import { makeReady, root } from './ready.js'

const versions = ['20.19', '22', '24', '26']

makeReady()
const project = mkdtempSync(join(tmpdir(), 'codecarbon-smoke-'))
let failures = 0
try {
  installPacked(project)
  for (const file of ['smoke.js', 'smoke.cjs']) cpSync(join(root, 'test/smoke', file), join(project, file))
  for (const version of versions) {
    const node = fetchNode(version)
    const { status, stdout, stderr } = spawnSync(node, ['smoke.js'], { cwd: project, encoding: 'utf8' })
    const { stdout: required, status: requireStatus } = spawnSync(node, ['smoke.cjs'], {
      cwd: project,
      encoding: 'utf8',
    })
    const isGood = status === 0 && requireStatus === 0 && stdout.startsWith('ok') && required.startsWith('ok')
    if (!isGood) failures += 1
    console.log(
      `node ${version.padEnd(6)} ${isGood ? stdout.trim() : `FAILED\n${stdout}${required}${stderr}`}`,
    )
  }
} finally {
  rmSync(project, { recursive: true, force: true })
}
console.log(`node versions: ${versions.length - failures} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
