import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { droppingPort, hasNamespaces, hasPython, silentPort } from '../../fixtures/bad-network.ts'
import { startServer } from '../../fixtures/local-server.ts'
import { runProgram, startProgram, type ChildOptions } from '../../fixtures/programs/child.ts'
import { temporaryFolder } from '../../fixtures/programs/temporary-folder.ts'

// The program under test gives its server ten minutes: it ends within this test's time only if nothing keeps it.
const options = (): ChildOptions => ({ folder: temporaryFolder() })
const asEver = { code: 0, signal: null, stdout: 'at once: 200 g/kWh\n', stderr: '' }

it('a server that says nothing delays neither the first figure nor the end of the program', async () => {
  const server = await startServer(() => undefined)
  expect(await runProgram('live-intensity.js', [server.url], options())).toEqual(asEver)
  expect(server.requests.length).toBeLessThanOrEqual(1)
})

it('a server that stops in the middle of its answer does not keep the program either', async () => {
  const server = await startServer((_request, response) => {
    response.write('{"data":')
  })
  expect(await runProgram('live-intensity.js', [server.url], options())).toEqual(asEver)
})

it('a server that never finishes TLS does not keep the program either', async () => {
  const url = `https://127.0.0.1:${await silentPort()}`
  const ended = await runProgram('live-intensity.js', [url], options())
  expect(ended).toEqual(asEver)
})

it.runIf(hasPython())(
  'a firewall that drops what is sent does not keep a program that has stopped',
  async () => {
    const child = startProgram(
      'live-intensity.js',
      [`http://127.0.0.1:${await droppingPort()}`, 'stop'],
      options(),
    )
    expect(await child.ended).toEqual(asEver)
  },
)

it.runIf(hasNamespaces())('without any network the program says so and ends as ever', () => {
  const { folder } = options()
  const program = new URL('../../fixtures/programs/live-intensity.js', import.meta.url).pathname
  const args = ['-rn', process.execPath, program, 'https://api.carbonintensity.org.uk', 'wait']
  const { status, stdout, stderr } = spawnSync('unshare', args, { cwd: folder, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(
    /^at once: 200 g\/kWh\nCarbon Intensity API .* cannot be reached: .*yearly figure of 200/,
  )
})
