import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { droppingPort, hasNamespaces, hasPython, silentPort } from '../../fixtures/bad-network.ts'
import { startServer } from '../../fixtures/local-server.ts'
import { runProgram, type ChildOptions } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

// The program under test gives its servers ten minutes: it ends within this test's time only if nothing keeps it.
const options = (): ChildOptions => ({ folder: temporaryFolder() })
const asEver = { code: 0, signal: null, stdout: 'at once: FRA\n', stderr: '' }

it('a cloud that says nothing delays neither the start nor the end of the program', async () => {
  const server = await startServer(() => undefined)
  expect(await runProgram('locator.js', [server.url], options())).toEqual(asEver)
})

it('nor does a port where nobody ever says a word', async () => {
  const url = `http://127.0.0.1:${await silentPort()}`
  expect(await runProgram('locator.js', [url], options())).toEqual(asEver)
})

it('nor does a service that stops in the middle of its answer', async () => {
  const server = await startServer((request, response) => {
    if (request.url === '/v1/ip/country.json') response.write('{"country":')
    else response.writeHead(404).end()
  })
  const ended = await runProgram('locator.js', [server.url, 'UTC'], options())
  expect(ended).toEqual({ ...asEver, stdout: 'at once: undefined\n' })
})

// While a connection is being made, Node.js waits for it whatever it is told: until it is closed, or the budget of 1 s is spent.
it.runIf(hasPython())(
  'a firewall that drops what is sent keeps no program that closes, and none for long',
  async () => {
    const url = `http://127.0.0.1:${await droppingPort()}`
    expect(await runProgram('locator.js', [url, 'stop'], options())).toEqual(asEver)
    expect(await runProgram('locator.js', [url, 'hurry'], options())).toEqual(asEver)
  },
)

it.runIf(hasNamespaces())('without any network the program goes on as ever', () => {
  const { folder } = options()
  const program = new URL('../../fixtures/programs/locator.js', import.meta.url).pathname
  const args = ['-rn', process.execPath, program, 'http://169.254.169.254', 'UTC', 'wait']
  const { status, stdout, stderr } = spawnSync('unshare', args, { cwd: folder, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(
    /^at once: undefined\ngeojs\.io cannot be reached: .*, ipinfo\.io cannot be reached: .*; no place is known/,
  )
})
