import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startChild } from '../../fixtures/programs/child.ts'
import { node, preload } from '../../fixtures/programs/register/preload.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Runs code in a folder in which the package is found by its name. */
const run = (args: readonly string[]) =>
  startChild(node, args, { folder: temporaryFolder(), cwd: root, input: '' }).ended

const warning = 'CodeCarbonWarning: codecarbon/register cannot be loaded by require'
const twoThreads = 'new (require("worker_threads").Worker)("0", { eval: true })'

describe('codecarbon/register by require', () => {
  it.each([
    ['as a preload', ['--require', 'codecarbon/register', '-e', `console.log("runs"); ${twoThreads}`]],
    ['in a program', ['-e', 'require("codecarbon/register"); console.log("runs")']],
  ])('%s says once what to use instead, and lets the program run', async (_, args) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout.trim()]).toEqual([0, 'runs'])
    expect(stderr.split(warning)).toHaveLength(2)
    expect(stderr).toContain('use node --import codecarbon/register')
  })

  it('says nothing in a program that has it as a preload', async () => {
    const { code, stdout, stderr } = await run([
      '--import',
      preload,
      '-e',
      'require("codecarbon/register"); console.log("runs")',
    ])
    expect([code, stdout.trim(), stderr.includes(warning)]).toEqual([0, 'runs', false])
  })
})
