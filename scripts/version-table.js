// The table of docs/hooks.md that tells which versions were tried.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { root } from './ready.js'

/** @typedef {import('./framework-trial.js').Trial} Trial */

const path = join(root, 'docs/hooks.md')
const begin = '<!-- Made by npm run framework-versions -- --write. -->'
const end = '<!-- To here. -->'
const header = ['framework', 'measured by', 'supported', 'passed', 'left alone', 'Node']

/** Puts what these trials have shown, which all passed, into the page. @param {readonly Trial[]} trials */
export async function writeVersionTable(trials) {
  const page = readFileSync(path, 'utf8')
  const [before, after] = [page.indexOf(begin), page.indexOf(end)]
  if (before < 0 || after < before)
    throw new Error(`docs/hooks.md has no place for the table: ${begin} … ${end}`)
  const rows = [...new Set(trials.map(({ framework }) => framework))].map((framework) =>
    toRow(trials.filter((trial) => trial.framework === framework)),
  )
  const lines = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  const whole = `${page.slice(0, before)}${begin}\n\n${lines.join('\n')}\n\n${page.slice(after)}`
  writeFileSync(path, await format(whole, { ...(await resolveConfig(path)), parser: 'markdown' }))
}

/** @param {readonly Trial[]} trials of one framework */
function toRow(trials) {
  const [{ framework, range } = { framework: undefined, range: '' }] = trials
  const having = (/** @type {string} */ wanted) => trials.filter(({ result }) => result === wanted)
  const passed = having('passed')
  const failing = having('fails itself')
  const noteOn = (/** @type {string} */ version) => {
    const nodes = failing.filter((trial) => trial.version === version).map(({ node }) => node)
    return nodes.length === 0 ? version : `${version} (fails itself with Node ${nodes.join(', ')})`
  }
  return [
    `\`${framework?.package}\``,
    framework?.hook === undefined ? 'its author' : `hook \`${framework.hook}\``,
    `\`${range}\``,
    once(passed.map(({ version }) => version)).map(noteOn),
    once(having('left alone').map(({ version }) => version)),
    once(passed.map(({ node }) => node)),
  ].map((cell) => (typeof cell === 'string' ? cell : cell.join(', ')))
}

/** @param {readonly string[]} words */
const once = (words) => [...new Set(words)]
