import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { runCommand, type RunningCommand } from '../../../src/probes/macos/run-command.ts'

const endlessWriter = fileURLToPath(new URL('../../fixtures/programs/endless-writer.js', import.meta.url))

/** Runs a program of Node, and remembers what was heard. */
function node(...args: string[]): {
  readonly command: RunningCommand
  readonly texts: string[]
  readonly ends: string[]
} {
  const texts: string[] = []
  const ends: string[] = []
  const command = runCommand(
    { file: process.execPath, args },
    {
      onText: (text) => texts.push(text),
      onEnd: (reason) => ends.push(reason),
    },
  )
  return { command, texts, ends }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** What keeps the event loop going; a vitest worker has pipes of its own. */
const keepingAlive = (): readonly string[] =>
  process.getActiveResourcesInfo().filter((name) => /Process|Pipe/.test(name))

test('what it writes is heard as it comes', async () => {
  const { command, texts } = node(endlessWriter)
  await vi.waitFor(() => {
    expect(texts.join('').split('</plist>').length).toBeGreaterThan(3)
  })
  command.close()
})

test('it keeps nothing alive', async () => {
  const before = keepingAlive()
  const { command, texts } = node(endlessWriter)
  expect(keepingAlive()).toEqual(before)
  await vi.waitFor(() => {
    expect(texts).not.toEqual([])
  })
  expect(keepingAlive()).toEqual(before)
  command.close()
})

test('after close nothing is heard, and even a child that takes no signal ends at its closed pipe', async () => {
  const { command, texts, ends } = node(endlessWriter)
  await vi.waitFor(() => {
    expect(texts.join('')).toContain('</plist>')
  })
  const pid = Number(texts.join('').split('\n')[0])
  expect(isAlive(pid)).toBe(true)
  command.close()
  command.close()
  const heard = texts.length
  await vi.waitFor(
    () => {
      expect(isAlive(pid)).toBe(false)
    },
    { timeout: 10_000 },
  )
  expect([texts.length, ends]).toEqual([heard, []])
})

test('its end is heard once, with what it complained of', async () => {
  const { ends } = node('-e', 'console.error("sudo: a password is required"); process.exitCode = 1')
  await vi.waitFor(() => {
    expect(ends).toEqual(['sudo: a password is required'])
  })
})

test('an end without a word says how it ended', async () => {
  const { ends } = node('-e', 'process.exitCode = 3')
  await vi.waitFor(() => {
    expect(ends).toEqual(['it ended with status 3'])
  })
})

test('a program that is not there is an end, not an exception', async () => {
  const ends: string[] = []
  runCommand(
    { file: '/nowhere/powermetrics', args: [] },
    { onText: () => undefined, onEnd: (reason) => ends.push(reason) },
  )
  expect(ends).toEqual([])
  await vi.waitFor(() => {
    expect(ends).toHaveLength(1)
  })
  expect(ends[0]).toContain('ENOENT')
})
