import { describe, expect, test } from 'vitest'
import { findProgram, runInBackground } from '../../src/probes/background-command.ts'
import { fakeSysfs } from '../fixtures/fake-sysfs.ts'
import { runProgram } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

/** Runs a program to its end. A timer holds this process meanwhile, since the program does not. */
function run(program: string, ...args: string[]): Promise<string | Error> {
  const hold = setInterval(() => undefined, 1000)
  return new Promise((done) => {
    runInBackground(program, args, (output) => {
      clearInterval(hold)
      done(output)
    })
  })
}

describe('a program in the background', () => {
  test('what it writes is handed over', async () => {
    expect(await run(process.execPath, '-e', 'console.log(process.env.LC_ALL)')).toBe('C\n')
  })

  test('one that fails is an error with its own first words', async () => {
    const failed = await run(process.execPath, '-e', 'console.error("no such thing"); process.exit(3)')
    expect(failed).toBeInstanceOf(Error)
    expect(String(failed)).toContain('no such thing')
  })

  test('one that is not there is an error', async () => {
    expect(String(await run('/nowhere/ipmitool'))).toContain('ENOENT')
  })

  test('it keeps no program waiting', async () => {
    // The program under test runs another one that takes a minute.
    const ended = await runProgram('background-command.js', [], { folder: temporaryFolder() })
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'started\n', stderr: '' })
  })

  test('a program is found in PATH and in some folders besides, if it may be run', () => {
    const bin = fakeSysfs({ 'a/tool': '', 'b/tool': '', 'c/other': '' })
    bin.chmod('b/tool', 0o755)
    bin.chmod('c/other', 0o755)
    const path = `${bin.path}/a:${bin.path}/b`
    expect(findProgram('tool', [], path)).toBe(`${bin.path}/b/tool`)
    expect(findProgram('other', [`${bin.path}/c`], path)).toBe(`${bin.path}/c/other`)
    expect(findProgram('nothing', [], path)).toBeUndefined()
  })
})
