import { expect, it } from 'vitest'
import { chooseHooks } from '../../../src/integrations/register/choose-hooks.ts'
import { knownHooks } from '../../../src/integrations/register/known-hooks.ts'

const chosenBy = (integrations: string) => {
  const { hooks, problem } = chooseHooks(integrations, knownHooks)
  return { names: hooks.map(({ name }) => name), problem }
}

it('express is another name of the hook that measures it', () => {
  expect(chosenBy('express, koa')).toEqual({ names: ['http', 'koa'], problem: undefined })
  expect(chosenBy('express,http')).toEqual({ names: ['http'], problem: undefined })
})

it('a name that there is none of is told with the nearest one', () => {
  expect(chosenBy('expres').problem).toContain('"expres" (did you mean express?)')
})

it('a name without a hook is told with what measures it', () => {
  expect(chosenBy('agenda').problem).toContain('"agenda", which withCarbon of codecarbon measures')
  expect(chosenBy('constructor').problem).toContain('there is no hook "constructor"')
})

it('all and none stand alone', () => {
  expect(chosenBy('all, none')).toMatchObject({
    problem: 'integrations: all stands alone, so none is ignored',
  })
  expect(chosenBy('http,none')).toEqual({
    names: [],
    problem: 'integrations: none stands alone, so http is ignored',
  })
  expect(chosenBy('all').problem).toBeUndefined()
})
