// Compiles and bundles.
import { build } from './ready.js'

build()
