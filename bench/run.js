// What measuring costs, as ratios within one run. `npm run bench`
import { makeReady } from '../scripts/ready.js'

makeReady()
const { benchStart } = await import('./start.js')
const { benchRegister } = await import('./register.js')
const { benchTick } = await import('./tick.js')
const { benchScrape } = await import('./scrape.js')
const { benchScrapeAfterTasks } = await import('./scrape-after-tasks.js')
const { benchCsv } = await import('./csv.js')
const { benchApi } = await import('./api.js')
const { benchGpu } = await import('./gpu.js')
const { benchMonitor } = await import('./monitor.js')

const rows = [
  ...benchStart(),
  ...benchRegister(),
  ...(await benchTick()),
  ...(await benchGpu()),
  ...(await benchScrape()),
  ...(await benchScrapeAfterTasks()),
  ...benchCsv(),
  ...(await benchApi()),
  ...(await benchMonitor()),
]
const width = Math.max(...rows.map(({ what }) => what.length))
console.log(`node ${process.version}, ${process.platform} ${process.arch}; medians\n`)
for (const { what, ours, base, result, goal } of rows) {
  console.log(
    `${what.padEnd(width)}  ${ours.padStart(10)}  ${base.padStart(10)}  ${result.padStart(10)}  goal ${goal}`,
  )
}
