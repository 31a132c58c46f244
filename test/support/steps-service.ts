import { serve } from './serve.ts'
import { type Direction, type StepAttempt, stepsFeature } from './steps.ts'

async function ask({ payload, attempt, signal }: StepAttempt): Promise<Direction> {
  const answer = await fetch(payload.director ?? '', { method: 'POST', body: String(attempt), signal })
  return (await answer.text()) as Direction
}

serve(stepsFeature(ask).feature)
