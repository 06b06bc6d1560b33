// `--import codecarbon/register` on a program that does nothing, against the same program without it: whole processes, in turn.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './measure.js'

const rounds = 41
const preload = new URL('../dist/integrations/register/register.js', import.meta.url).href

/** @returns {import('./measure.js').Row[]} */
export function benchRegister() {
  const folder = mkdtempSync(join(tmpdir(), 'codecarbon-bench-'))
  const environment = { ...process.env, TMPDIR: folder, CODECARBON_LOG_LEVEL: 'error' }
  const child = { ...environment, _CODECARBON_MAILBOX: `codecarbon-${process.pid}-0-off` }
  /** @param {readonly string[]} args @param {NodeJS.ProcessEnv} env */
  const time = (args, env) => {
    const begin = performance.now()
    spawnSync(process.execPath, [...args, '-e', '0'], { cwd: folder, env, stdio: 'ignore' })
    return performance.now() - begin
  }
  try {
    /** @type {{ bare: number, tracked: number, child: number }[]} */
    const times = []
    for (let round = 0; round < rounds; round += 1) {
      times.push({
        bare: time([], environment),
        tracked: time(['--import', preload], environment),
        child: time(['--import', preload], child),
      })
    }
    const bare = median(times.map((each) => each.bare))
    return /** @type {const} */ (['tracked', 'child']).map((who) => ({
      what: who === 'tracked' ? 'codecarbon/register, whole processes' : 'the same in a child process',
      ours: `${median(times.map((each) => each[who])).toFixed(1)} ms`,
      base: `${bare.toFixed(1)} ms`,
      result: `+${median(times.map((each) => each[who] - each.bare)).toFixed(1)} ms, x${median(times.map((each) => each[who] / each.bare)).toFixed(2)}`,
      goal: who === 'tracked' ? '<= 60 ms' : '<= 20 ms',
    }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(benchRegister())
