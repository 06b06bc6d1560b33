import { Failures } from '../http/failures.ts'
import { listenTo } from '../http/listen-to.ts'
import { isLiteral, routePattern } from '../http/route-pattern.ts'
import type { ExpressRequest } from './express-request.ts'

/** Tells of each middleware that is called, with the template that it is mounted at (router 2.3, Express 5.3); it costs time while somebody listens. */
const calls = 'tracing:express.router.request:start'
/** After so many requests with nothing new nobody listens, until something new is seen. */
const calmRequests = 100
/** More mounts than any program has. */
const mostMounts = 1000
const mostMasks = 50

/**
 * Templates of the paths at which routers are mounted. `request.baseUrl` has the path as it came, with the ids of a mount such as `/tenants/:id` in it, which must
 * not become names. Older versions of Express tell no template: what does not look like a word is replaced by the name of its parameter, or by `*`.
 */
class MountPaths {
  readonly #literals = new Map<string, string>()
  readonly #patterns: { readonly pattern: RegExp; readonly template: string }[] = []
  readonly #masks = new Set<string>()
  readonly #failures = new Failures('codecarbon/express')
  /** While it watches. */
  #stop: (() => void) | undefined
  #calm = 0

  /** Learns from the requests to come. */
  watch(): void {
    this.#calm = 0
    this.#stop ??= listenTo(calls, this.#failures, (message) => {
      const { req, route } = message as { readonly req?: ExpressRequest; readonly route?: unknown }
      if (req !== undefined) this.#learn(req, route)
      this.#failures.passed()
    })
  }

  /** Of a request that ends: the template of where the router is mounted that has answered it; empty where it is not. */
  templateOf(request: ExpressRequest): string {
    const { baseUrl } = request
    const known = baseUrl === '' || baseUrl === undefined ? '' : this.#find(baseUrl)
    if (known === undefined) this.watch()
    else if (this.#stop !== undefined && ++this.#calm >= calmRequests) {
      this.#stop()
      this.#stop = undefined
    }
    return known ?? this.#mask(baseUrl ?? '', request.params)
  }

  /** What is called is mounted at the end of `baseUrl`, unless it is a handler of a route. */
  #learn({ baseUrl, route }: ExpressRequest, template: unknown): void {
    if (baseUrl === undefined || baseUrl === '' || typeof template !== 'string') return
    if (this.#find(baseUrl) !== undefined || route?.path === template) return
    if (this.#literals.size + this.#patterns.length >= mostMounts) return
    const pattern = routePattern(template)
    for (let at = baseUrl.indexOf('/'); at >= 0; at = baseUrl.indexOf('/', at + 1)) {
      const above = at === 0 ? '' : this.#find(baseUrl.slice(0, at))
      if (above !== undefined && pattern.test(baseUrl.slice(at))) {
        this.#add(above + template.replace(/\/+$/, ''))
        return
      }
    }
  }

  #add(template: string): void {
    if (isLiteral(template)) this.#literals.set(template, template)
    else this.#patterns.push({ pattern: routePattern(template), template })
  }

  #find(path: string): string | undefined {
    return this.#literals.get(path) ?? this.#patterns.find(({ pattern }) => pattern.test(path))?.template
  }

  #mask(path: string, params: ExpressRequest['params']): string {
    const values = new Map(Object.entries(params ?? {}).map(([name, value]) => [value, `:${name}`]))
    const masked = path
      .split('/')
      .map((part) => values.get(part) ?? (part === '' || looksLikeAWord.test(part) ? part : '*'))
      .join('/')
    if (!this.#masks.has(masked) && this.#masks.size >= mostMasks) return '/*'
    this.#masks.add(masked)
    return masked
  }
}

/** `users`, `v2`, `user-profiles`; no number, no UUID, nothing that is escaped. */
const looksLikeAWord = /^(?:v\d{1,2}|[a-z]+(?:[_-][a-z]+){0,3})$/i

export const mountPaths: MountPaths = new MountPaths()
