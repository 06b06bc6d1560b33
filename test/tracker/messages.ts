import { onTestFinished, vi } from 'vitest'

/** What is printed on stderr, and on stdout, until the test has finished. */
export function listen(): { readonly stderr: string[]; readonly stdout: string[] } {
  const stderr: string[] = []
  const stdout: string[] = []
  const spies = [
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => stderr.push(String(text)) > 0),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => stdout.push(String(text)) > 0),
  ]
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return { stderr, stdout }
}
