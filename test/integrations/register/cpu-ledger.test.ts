import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCpuLedger, type CpuShare } from '../../../src/integrations/register/cpu-ledger.ts'

/** A ledger whose clock the test sets. */
function open(): { use: (microseconds: number) => void; begin: (parent?: CpuShare) => CpuShare } {
  let now = 1000
  const ledger = createCpuLedger(() => now)
  return {
    use(microseconds) {
      now += microseconds
      ledger.advance()
    },
    begin: (parent) => ledger.begin(parent),
  }
}

describe('CPU time of scopes', () => {
  it('is that of the time in which they are active, in equal parts', () => {
    const { use, begin } = open()
    use(50)
    const a = begin()
    use(100)
    const b = begin()
    use(60)
    a.end()
    use(10)
    b.end()
    use(70)
    expect([a.used(), b.used()]).toEqual([130, 40])
  })

  it('is that of the innermost', () => {
    const { use, begin } = open()
    const outer = begin()
    use(10)
    const inner = begin(outer)
    use(100)
    inner.end()
    use(20)
    outer.end()
    expect([outer.used(), inner.used()]).toEqual([30, 100])
  })

  it('goes on where a scope ends before what is inside of it', () => {
    const { use, begin } = open()
    const outer = begin()
    const middle = begin(outer)
    const inner = begin(middle)
    middle.end()
    use(40)
    inner.end()
    use(5)
    outer.end()
    const late = begin(middle)
    use(3)
    late.end()
    expect([outer, middle, inner, late].map((share) => share.used())).toEqual([5, 0, 40, 3])
  })

  it('does not go back where the clock does', () => {
    const { use, begin } = open()
    const scope = begin()
    use(10)
    use(-5)
    use(5)
    expect(scope.used()).toBe(10)
  })

  it('adds up to what was used while any was active', () => {
    const step = fc.record({
      action: fc.constantFrom('begin', 'begin inside', 'end', 'use'),
      pick: fc.nat(),
      time: fc.nat(1000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { use, begin } = open()
        const all: CpuShare[] = []
        const active: CpuShare[] = []
        let busy = 0
        for (const { action, pick, time } of steps) {
          const chosen = active[pick % Math.max(1, active.length)]
          if (action === 'use') {
            use(time)
            if (active.length > 0) busy += time
          } else if (action === 'end') {
            if (chosen === undefined) continue
            chosen.end()
            active.splice(active.indexOf(chosen), 1)
          } else {
            const share = begin(action === 'begin inside' ? chosen : undefined)
            all.push(share)
            active.push(share)
          }
        }
        const sum = all.reduce((total, share) => total + share.used(), 0)
        expect(sum).toBeCloseTo(busy, 5)
      }),
    )
  })
})
