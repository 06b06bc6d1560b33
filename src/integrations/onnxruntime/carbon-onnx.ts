import { basename } from 'node:path'
import { ConfigError } from '../../core/errors.ts'
import { checkNames } from '../../scopes/check-options.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import { createHookScopes } from '../../scopes/hook-scopes.ts'
import { measureMethods, type Method } from '../hook-parts/measure-methods.ts'
import { isAsync } from '../../scopes/measured-function.ts'
import { runInScope } from '../hook-parts/run-in-scope.ts'

/** ONNX Runtime as far as it is needed here. */
export interface OnnxRuntime {
  readonly InferenceSession: object
}

/** Options of {@link carbonOnnx}. */
export interface OnnxOptions {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /**
   * Of the scope of each inference, one of few; or what makes it of the file that the session was loaded from, without folder and ending (`undefined` where it was loaded from memory),
   * and the session.
   *
   * @default 'inference'
   */
  readonly name?: string | ((file: string | undefined, session: object) => string) | undefined
}

interface SessionClass extends Record<'create', Method> {
  readonly prototype: Record<'run', Method>
}

const defaultName = 'inference'

/**
 * Measures every inference of every session, `run` from its call to its results: its energy and emissions are told by its name and outcome. Called again, it
 * measures by the new options.
 *
 * @param ort what `onnxruntime-node` or `onnxruntime-common` export
 * @returns takes it back
 * @throws ConfigError where that is no ONNX Runtime, and for a wrong option
 * @example
 * import * as ort from 'onnxruntime-node'
 * carbonOnnx(ort, { name: (file) => file ?? 'inference' })
 */
export function carbonOnnx(ort: OnnxRuntime, options: OnnxOptions = {}): () => void {
  const session = sessionClassOf(ort)
  checkNames('carbonOnnx', options, { tracker: true, name: true })
  const { tracker, name = defaultName } = options
  if (typeof name !== 'function' && (typeof name !== 'string' || name === ''))
    throw new ConfigError('carbonOnnx: option name: expected a name that is not empty, or a function')
  const scopes = createHookScopes('ONNX Runtime', tracker)

  const files = new WeakMap<object, string>()
  const nameOf = (target: object): string => {
    if (typeof name === 'string') return name
    const made: unknown = scopes.attempt(() => name(files.get(target), target))
    return typeof made === 'string' && made !== '' ? made : defaultName
  }
  const undoCreate = measureMethods<'create'>(session, {
    create: (original) =>
      async function create(...args) {
        const created = await original.apply(this, args)
        const [file] = args
        if (typeof file === 'string' && typeof created === 'object' && created !== null)
          files.set(created, basename(file).replace(/\.(?:onnx|ort)$/i, ''))
        return created
      },
  })
  const undoRun = measureMethods<'run'>(session.prototype, {
    run: (original) =>
      function run(...args) {
        const scope = scopes.begin({ name: nameOf(this), kind: 'inference' })
        return runInScope(scope, () => original.apply(this, args), isAsync(original))
      },
  })
  return () => {
    undoCreate()
    undoRun()
  }
}

function sessionClassOf(ort: unknown): SessionClass {
  const session = (ort as { InferenceSession?: Partial<SessionClass> } | undefined)?.InferenceSession
  if (typeof session?.create !== 'function' || typeof session.prototype?.run !== 'function')
    throw new ConfigError(
      'carbonOnnx: expected what onnxruntime-node exports, with InferenceSession.create and InferenceSession.prototype.run',
    )
  return session as SessionClass
}
