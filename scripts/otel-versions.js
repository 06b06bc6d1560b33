// Runs the built package with the lines of OpenTelemetry's SDK that are kept, each on a Node that it runs on, as a user would install them.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchNode, installPacked } from './newer-node.js'
import { makeReady, root } from './ready.js'

const lines = [
  { node: '20.19', api: '1.9', sdk: '2', exporters: '0.223' },
  // Needs Node 22.15.
  { node: '24', api: '1.10', sdk: '3', exporters: '0.301' },
]

makeReady()
let failures = 0
for (const { node, api, sdk, exporters } of lines) {
  const project = mkdtempSync(join(tmpdir(), 'codecarbon-otel-'))
  try {
    installPacked(
      project,
      `@opentelemetry/api@${api}`,
      `@opentelemetry/sdk-metrics@${sdk}`,
      `@opentelemetry/exporter-metrics-otlp-grpc@${exporters}`,
      `@opentelemetry/exporter-prometheus@${exporters}`,
    )
    cpSync(join(root, 'test/smoke/otel.js'), join(project, 'otel.js'))
    const { status, stdout, stderr } = spawnSync(fetchNode(node), ['otel.js'], {
      cwd: project,
      encoding: 'utf8',
    })
    const isGood = status === 0 && stdout.startsWith('ok')
    if (!isGood) failures += 1
    console.log(`sdk-metrics ${sdk}.x ${isGood ? stdout.trim() : `FAILED\n${stdout}${stderr}`}`)
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}
console.log(`OpenTelemetry versions: ${lines.length - failures} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
