import type { LibraryHook } from '../register/library-hook.ts'
import { carbonAi } from './carbon-ai.ts'
import { carbonTelemetry } from './carbon-telemetry.ts'
import { channelUse } from './channel-use.ts'

/** Calls of the AI SDK, whose channel is the same for every copy of it, with the tokens that the channel does not tell. */
export const aiHook: LibraryHook = {
  name: 'ai',
  packages: ['ai'],
  versions: '>=7 <8',
  install({ registerTelemetry }) {
    if (channelUse.listener === undefined) carbonAi()
    if (typeof registerTelemetry === 'function') registerTelemetry(carbonTelemetry())
  },
}
