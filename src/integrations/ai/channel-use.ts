import type { OperationEvent } from './operations.ts'

/** What listens to the channel of the AI SDK. */
export interface ChannelListener {
  /** Takes the tokens of a call of a model, which the channel does not tell of streams. */
  tellTokens(event: OperationEvent, usage: unknown): void
  stop(): void
}

/** How the channel is used, of which there is one in a process. */
interface ChannelUse {
  /** Who listens needs nothing else beside it but tokens. */
  listener: ChannelListener | undefined
  /** Whether `tellTokens` is called for what the channel does not tell. */
  areTokensToldBeside: boolean
}

/** One for all copies of this package in a process; with a number that changes when what is there does. */
const key = Symbol.for('codecarbon.ai-channel.1')
const holder = globalThis as { [key]?: ChannelUse }

export const channelUse: ChannelUse = (holder[key] ??= { listener: undefined, areTokensToldBeside: false })
