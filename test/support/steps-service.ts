import { serve } from './serve.ts'
import { type Direction, type StepAttempt, stepsFeature } from './steps.ts'

async function ask({ payload, attempt, signal }: StepAttempt): Promise<Direction> {
  const headers = { connection: 'close' }
  const body = String(attempt)
  const response = await fetch(payload.director ?? '', { method: 'POST', headers, body, signal })
  return (await response.text()) as Direction
}

serve(stepsFeature(ask).feature)
