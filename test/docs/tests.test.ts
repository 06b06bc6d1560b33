import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { checkReporterOptions } from '../../src/integrations/vitest/reporter-options.ts'
import { startChild } from '../fixtures/programs/child.ts'
import { installOurselves } from '../fixtures/programs/project.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/tests.md'), 'utf8')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

it('the page about tests names every option of the reporter, and no other', () => {
  const [table = ''] = /^\| option [^]*?\n\n/m.exec(page) ?? []
  const named = [...table.matchAll(/^\| `(\w+)` /gm)].map(([, name = '']) => name)
  expect(named).toEqual(['tracking', 'attribution', 'budget', 'budgetUses', 'outputFile', 'githubSummary'])
  for (const name of named) {
    expect(() => {
      checkReporterOptions({ [name]: undefined })
    }).not.toThrow()
  }
})

it('the page about tests names every field of the JSON', () => {
  const text = readFileSync(join(root, 'test/golden/vitest.json'), 'utf8')
  const { run: _, ...own } = JSON.parse(text) as Record<string, unknown>
  const names = new Set<string>(['run'])
  JSON.stringify(own, (key, value: unknown) => {
    if (key !== '' && !/^\d+$/.test(key)) names.add(key)
    return value
  })
  expect([...names].filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

it('the configurations of README and of the page about tests run as they stand', async () => {
  const folder = temporaryFolder()
  installOurselves(folder)
  symlinkSync(join(root, 'node_modules/vitest'), join(folder, 'node_modules/vitest'), 'junction')
  const configs = [readme, page].flatMap((text) =>
    [...text.matchAll(/```js\n([^]*?)```/g)]
      .map(([, program = '']) => program)
      .filter((program) => program.includes('codecarbon/vitest')),
  )
  expect(configs).toHaveLength(3)
  for (const [index, config] of configs.entries()) {
    const project = join(folder, String(index))
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(project, 'vitest.config.js'), config)
    writeFileSync(join(project, 'a.test.js'), "import { test } from 'vitest'\ntest('a', () => {})\n")
    const args = [join(folder, 'node_modules/vitest/vitest.mjs'), 'run']
    const child = startChild(process.execPath, args, { folder: project, input: '' })
    const { code, stderr } = await child.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^ +Energy {2}/m) as string })
  }
})
