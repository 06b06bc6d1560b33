// Makes grafana/dashboards/*.json of the panels in scripts/dashboards/. `--check` writes nothing and fails where a file is not what it would make.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { health } from './dashboards/health.js'
import { hardware } from './dashboards/hardware.js'
import { overview } from './dashboards/overview.js'
import { planning } from './dashboards/planning.js'
import { tasks } from './dashboards/tasks.js'
import { toGrafana } from './dashboards/to-grafana.js'
import { root } from './ready.js'

/** @type {Readonly<Record<string, import('./dashboards/panel.js').Dashboard>>} */
const dashboards = { overview, hardware, tasks, planning, health }
const folder = join(root, 'grafana/dashboards')
const isCheck = process.argv.includes('--check')

const files = new Map(
  await Promise.all(
    Object.entries(dashboards).map(async ([name, dashboard]) => {
      const path = join(folder, `${name}.json`)
      const text = await format(JSON.stringify(toGrafana(dashboard)), {
        ...(await resolveConfig(path)),
        parser: 'json',
      })
      return /** @type {[string, string]} */ ([`${name}.json`, text])
    }),
  ),
)
if (isCheck) check()
else {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
}

function check() {
  const there = readdirSync(folder)
  const wrong = [
    ...there.filter((name) => !files.has(name)),
    ...[...files].flatMap(([name, text]) =>
      there.includes(name) && readFileSync(join(folder, name), 'utf8') === text ? [] : [name],
    ),
  ]
  if (wrong.length === 0) return
  console.error(`grafana/dashboards: ${wrong.join(', ')}: not what the panels say: run npm run dashboards`)
  process.exit(1)
}
