import type { Problem } from '../core/problem.ts'
import { sentenceOf, type Refusal } from '../probes/detector.ts'

/** Cards that are there and that nobody can read. */
export const unmeasured = (maker: string, refusal: Refusal): Problem => ({
  code: 'ERR_UNMEASURED',
  subject: 'gpu',
  message: `graphics cards of ${maker} are there and cannot be measured (${sentenceOf(refusal)}): their energy is missing from the total`,
})
