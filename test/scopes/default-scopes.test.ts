import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startChild } from '../fixtures/programs/child.ts'
import { node, packageRoot, preload } from '../fixtures/programs/register/preload.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const warning = 'figures of this worker thread are lost where it is terminated'
const twoJobs = `const job = withCarbon('job', () => 0); job(); job()`

/** Runs a program that has `withCarbon`, and threads of the same file. */
async function stderrOf(program: string, args: readonly string[] = []): Promise<string> {
  const folder = temporaryFolder()
  const file = join(folder, 'program.mjs')
  writeFileSync(
    file,
    `import { isMainThread, Worker } from 'node:worker_threads'
    import { withCarbon } from '${pathToFileURL(join(packageRoot, 'dist/index.js')).href}'
    ${program}`,
  )
  const { stderr, code } = await startChild(node, [...args, file], { folder, input: '' }).ended
  expect(code).toBe(0)
  return stderr
}

describe('a tracker that begins with the first scope', () => {
  const inThread = `if (isMainThread) new Worker(new URL(import.meta.url)); else { ${twoJobs} }`

  it('warns once in a worker thread, and names the preload', async () => {
    const stderr = await stderrOf(inThread)
    expect(stderr.split(warning)).toHaveLength(2)
    expect(stderr).toContain('node --import codecarbon/register')
  })

  it('does not warn in a thread that has the preload', async () => {
    expect(await stderrOf(inThread, ['--import', preload])).not.toContain(warning)
  })

  it('does not warn in the main thread', async () => {
    expect(await stderrOf(twoJobs)).not.toContain(warning)
  })
})
