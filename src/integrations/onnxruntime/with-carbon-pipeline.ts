import { ConfigError } from '../../core/errors.ts'
import { checkNames } from '../../scopes/check-options.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import { createHookScopes } from '../../scopes/hook-scopes.ts'
import { runInScope } from '../hook-parts/run-in-scope.ts'

/** Options of {@link withCarbon}. */
export interface PipelineOptions {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
}

/**
 * Measures each call of a pipeline of transformers.js, tokenization included, under a name. What is returned is the pipeline in every other way: its tokenizer, model and methods are there.
 *
 * @throws ConfigError for a wrong argument
 * @example
 * const classify = withCarbon(await pipeline('text-classification'), 'classify')
 * await classify('I love this')
 */
export function withCarbon<Pipeline extends object>(
  pipeline: Pipeline,
  name: string,
  options: PipelineOptions = {},
): Pipeline {
  if (typeof pipeline !== 'function')
    throw new ConfigError(
      `withCarbon: expected a pipeline, got ${pipeline === null ? 'null' : typeof pipeline}; pipeline() of transformers.js has to be awaited`,
    )
  if (typeof name !== 'string' || name === '')
    throw new ConfigError('withCarbon: expected a name behind the pipeline')
  checkNames('withCarbon', options, { tracker: true })
  const scopes = createHookScopes('transformers.js', options.tracker)
  return new Proxy(pipeline, {
    apply(target, self, args) {
      const scope = scopes.begin({ name, kind: 'inference' })
      return runInScope(scope, () => Reflect.apply(target as () => unknown, self, args))
    },
  })
}
