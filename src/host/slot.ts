import type { Clock } from '../core/clock.ts'
import { takeSeatOfMachine } from './machine-seat.ts'
import type { Seat, SeatOptions } from './seat.ts'

/** A number that no other run of this machine has at the same time. */
export interface Slot {
  /** From 1. */
  readonly number: number
  /** Leaves it to the next one. */
  close(): void
}

/** How a slot is taken. */
export interface SlotOptions {
  /** What the runs have in common that are to be told apart; any text. */
  readonly of: string
  readonly clock: Clock
  /** @default that of this machine */
  readonly takeSeat?: (options: SeatOptions) => Seat
}

/** More runs at one time share the number that comes after. */
const mostSlots = 1000

/**
 * Takes the smallest number that is free. Those of processes that have ended are, however they ended: names that are made of it are used again, and there
 * are never more of them than runs at one time. Where nobody can say which numbers are free, it is 1.
 */
export function takeSlot({ of, clock, takeSeat = takeSeatOfMachine }: SlotOptions): Slot {
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256').update(of).digest('hex')
  for (let number = 1; number <= mostSlots; number += 1) {
    const seat = takeSeat({
      name: `codecarbon-slot-${digest.slice(0, 32)}-${number}`,
      clock,
      onChange: () => undefined,
      onHolder: () => undefined,
      onUnusable: () => undefined,
    })
    if (seat.isOurs) {
      return {
        number,
        close() {
          seat.close()
        },
      }
    }
    // Whoever waited for it would take another number in the middle of its run.
    seat.close()
  }
  return { number: mostSlots + 1, close: () => undefined }
}
