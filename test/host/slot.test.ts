import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { takeFileSeat } from '../../src/host/file-seat.ts'
import type { Seat, SeatOptions } from '../../src/host/seat.ts'
import { takeSlot, type Slot } from '../../src/host/slot.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

function slot(of: string, takeSeat?: (options: SeatOptions) => Seat): Slot {
  const taken = takeSlot({ of, clock: systemClock, ...(takeSeat === undefined ? {} : { takeSeat }) })
  onTestFinished(() => {
    taken.close()
  })
  return taken
}

describe.each(['of this machine', 'of a lock file'])('slots %s', (kind) => {
  const taker = (): ((of: string) => Slot) => {
    const folder = temporaryFolder()
    if (kind === 'of this machine') return (of) => slot(`${folder} ${of}`)
    return (of) => slot(of, (options) => takeFileSeat(options, folder))
  }

  it('are the smallest number that is free, of each thing for itself', () => {
    const take = taker()
    const [first, second, third] = [take('a'), take('a'), take('a')]
    expect([first.number, second.number, third.number]).toEqual([1, 2, 3])
    expect(take('b').number).toBe(1)
    second.close()
    expect(take('a').number).toBe(2)
    first.close()
    third.close()
    expect([take('a').number, take('a').number]).toEqual([1, 3])
  })
})

describe('a slot', () => {
  it('is the first where nobody can say which are free', () => {
    const unusable = (): Seat => ({ isOurs: true, close: () => undefined })
    expect([slot('a', unusable).number, slot('a', unusable).number]).toEqual([1, 1])
  })

  it('is shared by those that are too many', () => {
    const taken = (): Seat => ({ isOurs: false, close: () => undefined })
    expect(slot('a', taken).number).toBe(1001)
  })
})
