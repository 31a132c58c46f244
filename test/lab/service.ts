import { features } from '#src/app.ts'
import type { Feature } from '#src/runtime/openapi/feature.ts'
import { lab } from './feature.ts'

// What test/setup/bundle.ts bundles beside the service: its main.ts, with the lab in place of the service's features.

const list = features as Feature[]
list.splice(0, list.length, ...lab)
void import('#src/main.ts')
