export { withCarbon, type CarbonHandlerOptions, type PgBossJob } from './with-carbon.ts'
