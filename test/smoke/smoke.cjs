// The package is ESM alone; `require` reaches it from Node 20.19 on.
const { EmissionsTracker } = require('codecarbon')

console.log(typeof EmissionsTracker === 'function' ? 'ok' : 'EmissionsTracker is missing')
