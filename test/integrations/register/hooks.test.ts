import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { startChild } from '../../fixtures/programs/child.ts'
import { layOut } from '../../fixtures/programs/project.ts'
import { node, programPath } from '../../fixtures/programs/register/preload.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

const packageFiles = (
  name: string,
  fields: object,
  files: Readonly<Record<string, string>>,
): Record<string, string> => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '2.1.0', ...fields }),
  ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`node_modules/${name}/${path}`, text])),
})

const packages = {
  common: packageFiles(
    'fake-common',
    {},
    {
      'index.js': 'module.exports = (x) => `common ${x}`; module.exports.also = () => "also"',
    },
  ),
  module: packageFiles(
    'fake-module',
    { type: 'module', exports: './index.js' },
    {
      'index.js': 'export const say = (x) => `module ${x}`; export default say',
    },
  ),
  both: packageFiles(
    'fake-both',
    { exports: { import: './index.mjs', require: './index.cjs' } },
    {
      'index.mjs': 'export const say = () => "both, module"',
      'index.cjs': 'exports.say = () => "both, common"',
    },
  ),
  classes: packageFiles(
    'fake-class',
    {},
    {
      'index.js': 'exports.Thing = class Thing { say() { return "thing" } }',
    },
  ),
  broken: packageFiles('fake-broken', {}, { 'index.js': 'exports.say = () => "broken"' }),
  parts: packageFiles(
    '@fake/parts',
    { exports: { './part': './deep/part.js', '.': './index.js' } },
    {
      'index.js': 'exports.say = () => "whole"',
      'deep/part.js': 'exports.say = () => "part"',
    },
  ),
}

/** Runs a program in a project with these packages; gives what it printed, line by line. */
async function run(
  program: string,
  files: readonly Record<string, string>[],
  {
    name = 'program.mjs',
    hooks,
    before = [],
    after = [],
  }: { name?: string; hooks?: string; before?: readonly string[]; after?: readonly string[] } = {},
): Promise<string[]> {
  layOut(folder, { files: Object.assign({ [name]: program }, ...files) as Record<string, string> })
  const preload = pathToFileURL(programPath('fake-hooks.js')).href
  const { code, stdout, stderr } = await startChild(
    node,
    [...before, '--import', preload, ...after, join(folder, name)],
    { folder, input: '', env: hooks === undefined ? {} : { FAKE_HOOKS: hooks } },
  ).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trimEnd().split('\n')
}

describe('a hook changes what a package exports', () => {
  it('in CommonJS that is required', async () => {
    const program =
      'const f = require("fake-common"); console.log(f(1), f.also(), require("fake-common") === f)'
    expect(await run(program, [packages.common], { name: 'program.cjs' })).toEqual([
      'installed into fake-common 2.1.0',
      'fake(common 1) fake(also) true',
    ])
  })

  it('in CommonJS that is imported', async () => {
    const program = 'import f, { also } from "fake-common"; console.log(f(1), f.also(), also())'
    expect(await run(program, [packages.common])).toEqual([
      'installed into fake-common 2.1.0',
      'fake(common 1) fake(also) fake(also)',
    ])
  })

  it('in CommonJS that is imported here and required there, once', async () => {
    const program =
      'import f from "fake-common"; import { createRequire } from "node:module"; const r = createRequire(import.meta.url); console.log(f(1), r("fake-common")(2))'
    expect(await run(program, [packages.common])).toEqual([
      'installed into fake-common 2.1.0',
      'fake(common 1) fake(common 2)',
    ])
  })

  it('in a module', async () => {
    const program = 'import f, { say } from "fake-module"; console.log(f(1), say(2))'
    expect(await run(program, [packages.module])).toEqual([
      'installed into fake-module 2.1.0',
      'fake(module 1) fake(module 2)',
    ])
  })

  it('in what is imported later, from CommonJS', async () => {
    const program = 'import("fake-module").then(({ say }) => console.log(say(1)))'
    expect(await run(program, [packages.module], { name: 'program.cjs' })).toEqual([
      'installed into fake-module 2.1.0',
      'fake(module 1)',
    ])
  })

  it('in both forms of one package', async () => {
    const program =
      'import { say } from "fake-both"; import { createRequire } from "node:module"; console.log(say(), createRequire(import.meta.url)("fake-both").say())'
    expect(await run(program, [packages.both])).toEqual([
      'installed into fake-both 2.1.0',
      'installed into fake-both 2.1.0',
      'fake(both, module) fake(both, common)',
    ])
  })

  it('in each of two copies of a package', async () => {
    const other = Object.fromEntries(
      Object.entries(packages.common).map(([path, text]) => [
        `node_modules/other/${path}`,
        text.replace('2.1.0', '3.0.0'),
      ]),
    )
    const files = { ...other, 'node_modules/other/index.js': 'module.exports = require("fake-common")' }
    const program = 'console.log(require("fake-common")(1), require("other")(2))'
    expect(await run(program, [packages.common, files], { name: 'program.cjs' })).toEqual([
      'installed into fake-common 2.1.0',
      'installed into fake-common 3.0.0',
      'fake(common 1) fake(common 2)',
    ])
  })

  it('in a part of a package', async () => {
    const program =
      'import { say } from "@fake/parts/part"; import { say as whole } from "@fake/parts"; import { createRequire } from "node:module"; console.log(say(), whole(), createRequire(import.meta.url)("@fake/parts/part").say())'
    expect(await run(program, [packages.parts])).toEqual([
      'installed into @fake/parts/part 2.1.0',
      'fake(part) whole fake(part)',
    ])
  })

  it.each(['before', 'after'])('beside another preload that loads TypeScript, %s it', async (order) => {
    const other = pathToFileURL(programPath('typescript-loader.js')).href
    const program = 'import f, { say } from "fake-module"; console.log(f(1 as number), say(2))'
    expect(
      await run(program, [packages.module], {
        name: 'program.mts',
        [order]: ['--no-deprecation', '--import', other],
      }),
    ).toEqual(['installed into fake-module 2.1.0', 'fake(module 1) fake(module 2)'])
  })

  it('in a worker thread as well', async () => {
    const program =
      'import { Worker, isMainThread } from "node:worker_threads"; import { say } from "fake-module"; console.log(say(1)); if (isMainThread) new Worker(new URL(import.meta.url))'
    const once = ['installed into fake-module 2.1.0', 'fake(module 1)']
    expect(await run(program, [packages.module])).toEqual([...once, ...once])
  })

  it('or the prototypes of its classes', async () => {
    const program = 'import { Thing } from "fake-class"; console.log(new Thing().say())'
    expect(await run(program, [packages.classes])).toEqual(['prototypes(thing)'])
  })
})

describe('a hook is told of', () => {
  it('where it cannot be installed, and the program runs', async () => {
    const program = 'import { say } from "fake-broken"; console.log(say())'
    expect(await run(program, [packages.broken])).toEqual([
      'warning: the hook of broken could not be installed into fake-broken: not as expected',
      'broken',
    ])
  })

  it('where it does not know the version of the package', async () => {
    const old = Object.fromEntries(
      Object.entries(packages.common).map(([path, text]) => [path, text.replace('2.1.0', '1.9.9')]),
    )
    const program = 'console.log(require("fake-common")(1))'
    expect(await run(program, [old], { name: 'program.cjs' })).toEqual([
      'warning: fake-common 1.9.9 is not measured: the hook of fake knows >=2 <4',
      'common 1',
    ])
  })

  it('once where it does not know the version of several packages that belong together', async () => {
    const old = Object.fromEntries(
      Object.entries({ ...packages.common, ...packages.module }).map(([path, text]) => [
        path,
        text.replace('2.1.0', '1.9.9'),
      ]),
    )
    const program = 'import f from "fake-common"; import g from "fake-module"; console.log(f(1), g(2))'
    expect(await run(program, [old])).toEqual([
      expect.stringMatching(/^warning: fake-\w+ 1\.9\.9 is not measured: the hook of fake knows >=2 <4$/),
      'common 1 module 2',
    ])
  })

  it('where its code cannot be loaded', async () => {
    expect(await run('console.log("ran")', [], { hooks: 'absent' })).toEqual([
      'the code of a hook that nobody needs was loaded',
      'warning: the hook of absent could not be loaded: no code',
      'ran',
    ])
  })

  it('where nobody knows its name, with the nearest one', async () => {
    expect(await run('console.log("ran")', [packages.common], { hooks: 'fake,prototype' })).toEqual([
      'warning: integrations: there is no hook "prototype" (did you mean prototypes?); there are all, none, fake, prototypes, broken, absent, at-once, node',
      'ran',
    ])
  })
})

describe('of all hooks', () => {
  const program = 'import f from "fake-common"; console.log(f(1))'

  it('those are loaded whose packages are installed, and those that need none', async () => {
    expect(await run(program, [packages.common], { hooks: 'all' })).toEqual([
      'at once: at-once undefined',
      'of Node: node:os undefined function',
      'installed into fake-common 2.1.0',
      'fake(common 1)',
    ])
  })

  it('none are where none are wanted', async () => {
    expect(await run(program, [packages.common], { hooks: 'none' })).toEqual(['common 1'])
  })

  it('those are found whose packages pnpm has put into its store', async () => {
    const stored = Object.fromEntries(
      Object.entries(packages.common).map(([path, text]) => [
        `node_modules/.pnpm/fake-common@2.1.0/${path}`,
        text,
      ]),
    )
    const linked =
      'const f = require("./node_modules/.pnpm/fake-common@2.1.0/node_modules/fake-common"); console.log(f(1))'
    const printed = await run(linked, [stored], { name: 'program.cjs', hooks: 'all' })
    expect(printed.slice(2)).toEqual(['installed into fake-common 2.1.0', 'fake(common 1)'])
  })
})
