// What examples import that is not among the packages of this repository.
declare module '@agendajs/redis-backend'
declare module '@huggingface/transformers'
declare module '@wandb/sdk'
declare module 'agenda'
declare module 'ai'
declare module 'ai/test'
declare module 'onnxruntime-node'
declare module 'opik'
declare module 'pg-boss'
declare module '@koa/router' {
  import type { Context, Middleware } from 'koa'
  export default class Router {
    get(path: string, answer: (context: Context & { readonly params: Record<string, string> }) => void): void
    routes(): Middleware
  }
}
