import { features } from '#src/app.ts'
import type { Feature } from '#src/runtime/openapi/feature.ts'
import { notes } from './notes.ts'

// What test/setup/bundle.ts bundles beside the service: its main.ts, with notes in place of the service's features.

const list = features as Feature[]
list.splice(0, list.length, notes)
void import('#src/main.ts')
