import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startChild, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

const [answering, silent] = ['127.0.0.1', '127.0.0.2']

const inNamespace = (folder: string, nameServers: string, command: readonly string[]): string[] => [
  ...['-rnm', 'python3', fixture('name-server.py')],
  ...[folder, nameServers, ...command],
]

/** Runs a program where these are the name servers. */
function run(program: string, args: readonly string[], nameServers: string): Promise<Ended> {
  const folder = temporaryFolder()
  const command = [process.execPath, fixture(`programs/${program}`), ...args]
  return startChild('unshare', inNamespace(folder, nameServers, command), { folder, input: '' }).ended
}

/** What became of each name, and how long the program lived in milliseconds. */
async function get(
  names: readonly string[],
  nameServers: string,
): Promise<{ readonly came: readonly string[]; readonly lived: number }> {
  const { stdout } = await run('http-get.js', names, nameServers)
  const [, lines = '', lived] = /^([^]*)ended after (\d+) ms\n$/.exec(stdout) ?? []
  return { came: lines.split('\n').filter(Boolean).toSorted(), lived: Number(lived) }
}

const isPossible =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-rnm', 'sh', '-c', 'mount --bind /etc/hosts /etc/hosts && python3 -c ""']).status ===
    0
if (!isPossible)
  console.log('Skipped: name servers. They need Linux, Python and unshare with the right to use it.')

describe.runIf(isPossible)('a name', () => {
  it('is found by name servers, in search domains, in the list of hosts, and unknown where it is nowhere', async () => {
    const names = [
      'known.example.test',
      'short',
      'listed.example.test',
      'localhost',
      '127.0.0.1',
      'no.example.test',
      'wait',
    ]
    const { came } = await get(names, answering)
    expect(came).toEqual([
      '127.0.0.1 200',
      'known.example.test 200',
      'listed.example.test 200',
      'localhost 200',
      'no.example.test ENOTFOUND',
      'short 200',
    ])
  })

  it('is found by the second name server where the first keeps silent', async () => {
    expect((await get(['known.example.test', 'wait'], `${silent},${answering}`)).came).toEqual([
      'known.example.test 200',
    ])
  })
})

// The system's own lookup takes 10 s, and cannot be broken off.
describe.runIf(isPossible)('a name server that keeps silent', () => {
  it('keeps a program for 2 s, and the failure says why', async () => {
    const { came, lived } = await get(['any.example.test'], silent)
    expect(came).toEqual(['any.example.test ETIMEOUT'])
    expect(lived).toBeLessThan(5000)
  })

  it('keeps no program that breaks off', async () => {
    const { came, lived } = await get(['any.example.test', 'stop'], silent)
    expect(came).toEqual(['any.example.test ABORT_ERR'])
    expect(lived).toBeLessThan(1500)
  })

  it('hides no name that is in the list of hosts', async () => {
    expect((await get(['listed.example.test', 'localhost', 'wait'], silent)).came).toEqual([
      'listed.example.test 200',
      'localhost 200',
    ])
  })

  it('is told of as the reason why there is no live figure, and delays no end', async () => {
    const begin = performance.now()
    const waiting = await run('live-intensity.js', ['http://any.example.test', 'wait'], silent)
    expect(waiting.stdout).toMatch(
      /^at once: 200 g\/kWh\n.* cannot be reached: no name server answers \(DNS\)/,
    )
    const stopped = await run('live-intensity.js', ['http://any.example.test', 'stop'], silent)
    expect(stopped).toEqual({ code: 0, signal: null, stdout: 'at once: 200 g/kWh\n', stderr: '' })
    expect(performance.now() - begin).toBeLessThan(9000)
  })
})
