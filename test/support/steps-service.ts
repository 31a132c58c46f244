import { features } from '#src/app.ts'
import type { Feature } from '#src/runtime/openapi/feature.ts'
import { type Direction, type StepAttempt, stepsFeature } from './steps.ts'

// What test/setup/bundle.ts bundles beside the service: its main.ts, with steps in place of the service's features.

async function ask({ payload, attempt, signal }: StepAttempt): Promise<Direction> {
  const answer = await fetch(payload.director ?? '', { method: 'POST', body: String(attempt), signal })
  return (await answer.text()) as Direction
}

const list = features as Feature[]
list.splice(0, list.length, stepsFeature(ask).feature)
void import('#src/main.ts')
