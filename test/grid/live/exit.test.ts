import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { createServer as createTcpServer, type Server } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { startServer } from '../../fixtures/local-server.ts'
import { runProgram, startChild, startProgram, type ChildOptions } from '../../fixtures/programs/child.ts'
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
  const server = createTcpServer(() => undefined)
  await listen(server)
  const { port } = server.address() as { port: number }
  const ended = await runProgram('live-intensity.js', [`https://127.0.0.1:${port}`], options())
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

function listen(server: Server): Promise<void> {
  onTestFinished(() => {
    server.close()
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
}

/** A port whose queue is full, so that Linux drops the first packet of whoever connects, as a firewall does. */
const fillQueue = `
import socket, time
server = socket.socket()
server.bind(('127.0.0.1', 0))
server.listen(0)
clients = [socket.socket() for _ in range(3)]
for client in clients:
    client.setblocking(False)
    client.connect_ex(server.getsockname())
print(server.getsockname()[1], flush=True)
time.sleep(60)
`

async function droppingPort(): Promise<number> {
  const child = startChild('python3', ['-c', fillQueue], options())
  const [port] = (await once(child.process.stdout, 'data')) as [string]
  return Number(port)
}

function hasPython(): boolean {
  return process.platform === 'linux' && spawnSync('python3', ['-c', '']).status === 0
}

function hasNamespaces(): boolean {
  return process.platform === 'linux' && spawnSync('unshare', ['-rn', 'true']).status === 0
}
