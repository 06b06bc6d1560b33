import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/show.ts'
import type { BareRequest } from './http-types.ts'
import { isLiteral, routePattern } from './route-pattern.ts'

/** A function of a request, which may be written with the types of the framework. */
export type OfRequest<Source, Answer> = { answer(source: Source): Answer }['answer']

/** A route template such as `/health` or `/files/:name`, or a function that says whether a request is meant. */
export type RouteMatch<Source = never> = string | OfRequest<Source, boolean>

/** Options of a filter. */
export interface FilterOptions<Source = never> {
  /** Nothing but these is measured. @default everything */
  readonly include?: readonly RouteMatch<Source>[] | undefined
  /** These are not measured. @default nothing */
  readonly exclude?: readonly RouteMatch<Source>[] | undefined
}

/** Which requests are measured; told by their path when they begin, since routes are known too late for that. */
export class RouteFilter {
  readonly #include: Matcher | undefined
  readonly #exclude: Matcher | undefined

  /**
   * @param door the function that is given the options, for the message
   * @throws ConfigError for anything but templates and functions
   */
  constructor(door: string, { include, exclude }: FilterOptions) {
    this.#include = include === undefined ? undefined : new Matcher(`${door}: option include`, include)
    this.#exclude = exclude === undefined ? undefined : new Matcher(`${door}: option exclude`, exclude)
  }

  /**
   * @param source what the functions are given
   * @throws whatever a function of the user throws
   */
  takes(request: BareRequest, source: unknown): boolean {
    const path = pathOf(request)
    return this.#include?.matches(path, source) !== false && this.#exclude?.matches(path, source) !== true
  }
}

class Matcher {
  readonly #literals = new Set<string>()
  readonly #patterns: RegExp[] = []
  readonly #functions: ((source: never) => boolean)[] = []

  constructor(option: string, matches: readonly RouteMatch[]) {
    if (!Array.isArray(matches))
      throw new ConfigError(
        `${option}: expected a list of route templates and functions, got ${show(matches)}`,
      )
    for (const match of matches as readonly unknown[]) {
      if (typeof match === 'function') this.#functions.push(match as (source: never) => boolean)
      else if (typeof match !== 'string' || !/^[/*]/.test(match))
        throw new ConfigError(
          `${option}: expected a route template that begins with /, or a function, got ${show(match)}`,
        )
      else if (isLiteral(match)) this.#literals.add(withoutSlash(match))
      else this.#patterns.push(patternOf(option, match))
    }
  }

  matches(path: string, source: unknown): boolean {
    return (
      this.#literals.has(path) ||
      this.#patterns.some((pattern) => pattern.test(path)) ||
      this.#functions.some((matches) => matches(source as never))
    )
  }
}

function patternOf(option: string, template: string): RegExp {
  try {
    return routePattern(template)
  } catch {
    throw new ConfigError(
      `${option}: braces without a partner in "${template}"; for one that is part of the path, write a \\ before it`,
    )
  }
}

/** Of the address as it came, which mounted frameworks shorten and leave at `originalUrl`. */
function pathOf(request: BareRequest & { readonly originalUrl?: string | undefined }): string {
  const url = request.originalUrl ?? request.url ?? '/'
  const begin = url.startsWith('/') ? 0 : Math.max(0, url.indexOf('/', url.indexOf('//') + 2))
  const end = url.indexOf('?')
  return withoutSlash(end < 0 ? url.slice(begin) : url.slice(begin, end))
}

const withoutSlash = (path: string): string =>
  path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
