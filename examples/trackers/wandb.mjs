// Fits a line in some epochs as a run of Weights & Biases, which is told energy and emissions. Without an account the rows are printed that it would be told.
//
//   node examples/trackers/wandb.mjs
//   WANDB_API_KEY=… node examples/trackers/wandb.mjs   with an account, after npm install @wandb/sdk
import { EmissionsTracker } from 'codecarbon'
import { createWandbExporter } from 'codecarbon/wandb'

const printing = {
  log: async (/** @type {Record<string, unknown>} */ row) => {
    const energy = Object.entries(row).filter(([name]) => /^loss$|energy_consumed/.test(name))
    for (const [name, value] of energy)
      console.log(
        name,
        name === 'loss' ? Number(value).toFixed(4) : `${(Number(value) * 3.6e6).toFixed(2)} J`,
      )
  },
  finish: async () => {},
}
const wandb = process.env.WANDB_API_KEY === undefined ? printing : (await import('@wandb/sdk')).default
if (wandb !== printing) await wandb.init({ project: 'codecarbon-examples' })

const tracker = new EmissionsTracker({
  projectName: 'line',
  logLevel: 'warning',
  outputMethods: [],
  measurePowerSecs: 1,
  exporters: [createWandbExporter(wandb)],
}).start()

const points = Array.from({ length: 200_000 }, (_, index) => index / 200_000).map((x) => ({
  x,
  y: 3 * x + 2 + (Math.random() - 0.5) / 10,
}))
const line = { slope: 0, intercept: 0 }
for (let epoch = 1; epoch <= 3; epoch += 1) {
  const loss = await tracker.task(`epoch ${epoch}`, async () => {
    for (let pass = 0; pass < 9; pass += 1) fit()
    return fit()
  })
  await wandb.log({ loss })
}
await tracker.stop()
await wandb.finish()

/** Goes down the gradient, a thousand points at a time. Returns the mean of the squared errors. */
function fit() {
  let squares = 0
  for (let start = 0; start < points.length; start += 1000) {
    let [slope, intercept] = [0, 0]
    for (const { x, y } of points.slice(start, start + 1000)) {
      const error = line.slope * x + line.intercept - y
      slope += error * x
      intercept += error
      squares += error ** 2
    }
    line.slope -= slope / 5000
    line.intercept -= intercept / 5000
  }
  return squares / points.length
}
