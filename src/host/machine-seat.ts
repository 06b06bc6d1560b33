import { takeFileSeat } from './file-seat.ts'
import type { Seat, SeatOptions } from './seat.ts'
import { takeSocketSeat } from './socket-seat.ts'

/** Systems whose kernel lets go of the name of a socket when its process ends. */
const hasSocketNames: readonly NodeJS.Platform[] = ['linux', 'android', 'win32']

/** A seat of this machine: a name that the kernel keeps, or a lock file where there is none. */
export const takeSeatOfMachine = (options: SeatOptions): Seat =>
  hasSocketNames.includes(process.platform) ? takeSocketSeat(options) : takeFileSeat(options)
