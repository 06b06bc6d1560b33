import type { LibraryHook } from '../register/library-hook.ts'
import { carbonAi, isListening } from './carbon-ai.ts'

/** Calls of the AI SDK. Its channel is there before the package is loaded, and is the same for every copy of it. */
export const aiHook: LibraryHook = {
  name: 'ai',
  packages: ['ai'],
  versions: '>=7 <8',
  install() {
    if (!isListening()) carbonAi()
  },
}
