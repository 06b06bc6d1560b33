import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CallSums } from '../../src/integrations/model-calls/call-sums.ts'
import { ecologitsFactor } from '../../src/integrations/model-calls/ecologits-factor.ts'
import { publishedFactors } from '../../src/integrations/model-calls/published-factors.ts'

const page = readFileSync(new URL('../../docs/ai.md', import.meta.url), 'utf8')

it('the page about models has the figures of every published factor', () => {
  for (const { name, energyJoulesPerOutputToken, low, high } of Object.values(publishedFactors)) {
    const [, figures = ''] = new RegExp(`^\\| \`${name}\` +\\| ([^|]+)`, 'm').exec(page) ?? []
    expect([name, ...figures.match(/[\d.]+/g)!.map(Number)]).toEqual([
      name,
      energyJoulesPerOutputToken,
      low,
      high,
    ])
  }
  expect(page).toContain(
    `${ecologitsFactor({ activeParametersBillions: 8 }).energyJoulesPerOutputToken.toFixed(2)} for 8 billion`,
  )
})

it('the page about models names what a report has', () => {
  const sums = new CallSums()
  sums.add({ provider: 'a', model: 'b', outcome: 'ok', tokens: { input: 1, output: 1 } }, undefined)
  const names = Object.keys(sums.list()[0] ?? {}).filter((name) => !['provider', 'model'].includes(name))
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
