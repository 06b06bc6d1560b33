import { expect, it } from 'vitest'
import type { ScopeRecord } from '../../src/core/scope-record.ts'
import { createScopes } from '../../src/core/scopes.ts'
import { seconds } from '../../src/core/units.ts'
import { noUsage } from '../../src/core/usage.ts'
import { ScopeBook, type BookedScope } from '../../src/scopes/scope-book.ts'

/** A book whose clock the test sets, and the readings that it asks for. */
function book(): {
  end(count: number): void
  at(time: number): void
  readonly readings: number
} {
  let now = 0
  let readings = 0
  const scopes = createScopes(noUsage)
  const parts = {
    begin: scopes.begin.bind(scopes),
    now: () => seconds(now),
    read: () => {
      readings += 1
    },
    pue: 1,
    onSettled: () => undefined,
  }
  const scopeBook = new ScopeBook(parts)
  return {
    end(count) {
      for (let index = 0; index < count; index += 1) {
        const scope = scopes.begin(undefined, { isExact: true })
        // Paid for over a while, so that no reading settles it.
        scope.addCpu(seconds(1), seconds(1))
        const booked: BookedScope = { scope, leave: () => undefined, toRecord: () => ({}) as ScopeRecord }
        scopeBook.add(booked)
        scope.end()
        scopeBook.end(booked)
      }
    },
    at(time) {
      now = time
    },
    get readings() {
      return readings
    },
  }
}

it('thousands of ended scopes that wait ask for a reading, and those behind them for no more than ten a second', () => {
  const all = book()
  all.end(4999)
  expect(all.readings).toBe(0)
  all.end(2000)
  expect(all.readings).toBe(1)
  all.at(0.05)
  all.end(100)
  expect(all.readings).toBe(1)
  all.at(0.1)
  all.end(100)
  expect(all.readings).toBe(2)
})
