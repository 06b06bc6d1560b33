import { EnergyError } from '../../core/errors.ts'
import type { NoAnswer } from '../../http/exchange.ts'
import type { Place, PlaceQuery } from '../place.ts'
import type { Ask } from './ask.ts'

/** One way to find out where this machine is. */
export interface LocateStep {
  readonly foundBy: Place['foundBy']
  /** Which of several sources it is that `know` asks. */
  readonly toldBy?: string | undefined
  /** What can be told without waiting, from variables and small files. */
  readonly know?: (() => PlaceQuery | undefined) | undefined
  /** Asks somebody, in the background. May reject; that counts as no answer. */
  readonly ask?: ((tools: AskTools) => Promise<Asked>) | undefined
  /** Under which key what `ask` found is kept for other runs, and for how long. */
  readonly keep?: { readonly key: string; readonly forMs: number } | undefined
}

/** What a step asks with. */
export interface AskTools {
  /** A function to ask with, whose budget of time begins now and is for all that is asked by it. */
  readonly begin: () => Ask
}

/** What came of asking. */
export interface Asked {
  /** Words that `resolvePlace` knows; checked by the step. */
  readonly query?: PlaceQuery | undefined
  /** What the user should know. */
  readonly failures: readonly LookupFailure[]
  /** Time for which nobody needs to ask again, in milliseconds. */
  readonly pauseMs?: number | undefined
}

/** Ways in which a place can fail to be found. Each is told once for each step, and is part of the subject of its problem. */
export type LookupFailureKind =
  NoAnswer['kind'] | 'redirect' | 'refused' | 'too many requests' | 'unusable answer' | 'unknown place'

/** Somebody gave no usable answer. The message goes on after their name, and holds no text of theirs but a checked word for a place. */
export class LookupFailure extends EnergyError {
  readonly kind: LookupFailureKind
  /** They ask to be left alone for this long, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(kind: LookupFailureKind, message: string, retryAfterMs?: number) {
    super('ERR_PLACE_UNKNOWN', message)
    this.name = 'LookupFailure'
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }

  /** The same with the name of whom it is about. */
  of(name: string): LookupFailure {
    return new LookupFailure(this.kind, `${name} ${this.message}`, this.retryAfterMs)
  }
}

/** An answer that cannot be right, and why. */
export const unusable = (message: string): LookupFailure => new LookupFailure('unusable answer', message)

/** A failure of whoever was asked; what was thrown by mistake counts as an answer that nobody can read. */
export const toFailure = (error: unknown): LookupFailure =>
  error instanceof LookupFailure ? error : unusable('answered with something unreadable')
