import { defineFeature, type Feature } from '#src/runtime/feature.ts'
import type { Operation, PlainOperation } from '#src/runtime/routes/route.ts'

/** A feature of these routes. */
export function featureOf(...routes: (Operation | PlainOperation)[]): Feature {
  return defineFeature({ name: 'trial', description: 'Routes of a test.', routes: () => routes })
}

/** A database that no test of the file asks anything: it saves making one. */
export const noDatabase = 'postgres://nobody@127.0.0.1:1/none'
