// The frameworks whose versions are tried, each by a small program of test/fixtures/programs/frameworks.

/**
 * @typedef {object} Framework
 * @property {string} name as docs/hooks.md has it
 * @property {string} package
 * @property {string} [hook] the hook that measures it, by its name; without one the program does so itself
 * @property {string} [range] of supported versions, where no hook says it
 * @property {string} [program] its file, where it is not called as the framework
 * @property {(version: string) => string[]} [others] packages that the program needs besides
 * @property {Record<string, number>} tasks how often each name and outcome comes
 * @property {'redis' | 'postgres'} [server]
 * @property {true} [ignoresScripts] those of its installation fetch what is not needed
 * @property {true} [isRunner] it is started itself, with the programs as its files
 * @property {false} [isRequired] it cannot be loaded by `require`
 * @property {Record<string, string>} [failsItself] versions that do not run, whoever measures them, by the versions of Node
 * @property {{ others?: string[], program?: string }} [leftAlone] the version before the oldest supported one, of which its hook says that it knows it not
 */

const requests = {
  'GET /users/:id 2xx': 2,
  'GET /api/items/:id 2xx': 1,
  'GET /throws 5xx': 1,
  'GET _unmatched 4xx': 1,
}

const majorOf = (/** @type {string} */ version) => Number(version.split('.')[0])

/** @type {readonly Framework[]} */
export const frameworks = [
  {
    name: 'express',
    package: 'express',
    range: '>=4.3 <6',
    hook: 'http',
    tasks: requests,
    // It reads `_headers` of a response, which Node 24 has no more.
    failsItself: { '4.3.0': '>=24' },
  },
  { name: 'fastify', package: 'fastify', hook: 'fastify', tasks: requests, leftAlone: {} },
  {
    name: 'koa',
    package: 'koa',
    hook: 'koa',
    others: (version) => [majorOf(version) === 2 ? '@koa/router@12' : '@koa/router@15'],
    tasks: requests,
    leftAlone: { program: 'koa-1.js' },
  },
  {
    name: 'hono',
    package: 'hono',
    hook: 'hono',
    others: () => ['@hono/node-server@1'],
    tasks: requests,
    leftAlone: { others: ['@hono/node-server@1.3'] },
  },
  {
    name: 'bullmq',
    package: 'bullmq',
    hook: 'bullmq',
    server: 'redis',
    others: (version) => (majorOf(version) < 6 ? [] : ['ioredis@5']),
    tasks: { 'resize completed': 2, 'rotate failed': 1, 'rotate completed': 1, 'encode completed': 1 },
    leftAlone: {},
  },
  {
    name: 'pg-boss',
    package: 'pg-boss',
    hook: 'pg-boss',
    server: 'postgres',
    tasks: { 'mails completed': 3, 'failing failed': 2 },
    leftAlone: {},
  },
  {
    name: 'node-cron',
    package: 'node-cron',
    hook: 'node-cron',
    tasks: { 'report ok': 1, 'clean up ok': 1 },
    leftAlone: {},
  },
  {
    name: 'agenda',
    package: 'agenda',
    range: '>=6 <7',
    isRequired: false,
    tasks: { 'mail ok': 1, 'failing error': 1 },
  },
  { name: 'bree', package: 'bree', range: '>=9 <10', tasks: { 'clean up ok': 1 } },
  { name: 'piscina', package: 'piscina', range: '>=5 <6', tasks: { 'thumbnail ok': 3 } },
  {
    name: 'tfjs',
    package: '@tensorflow/tfjs',
    hook: 'tfjs',
    tasks: { 'fit ok': 1, 'epoch ok': 3 },
    leftAlone: {},
  },
  {
    name: 'onnxruntime',
    package: 'onnxruntime-node',
    hook: 'onnxruntime',
    ignoresScripts: true,
    tasks: { 'inference ok': 3 },
    leftAlone: {},
  },
  {
    name: 'ai',
    package: 'ai',
    hook: 'ai',
    others: () => ['zod@4'],
    tasks: { 'answer ok': 1, 'streamText ok': 1, 'small-1 ok': 2 },
    leftAlone: {},
  },
  {
    name: 'langchain',
    package: '@langchain/core',
    range: '>=1 <2',
    tasks: {
      'ask ok': 2,
      'PromptTemplate ok': 2,
      'FakeListChatModel ok': 2,
      'StrOutputParser ok': 2,
    },
  },
  {
    name: 'vitest',
    package: 'vitest',
    range: '>=4.1.0 <6',
    isRunner: true,
    isRequired: false,
    tasks: { 'vitest-a.js ok': 1, 'vitest-b.js ok': 1 },
  },
]
