import { ConfigError, parseConfig } from '#src/runtime/config/config.ts'
import type { Variables } from '#src/runtime/config/parse-values.ts'

/** What is wrong with these variables, a line each. */
export function problemsOf(
  environment: Record<string, string>,
  features: readonly Variables[] = [],
): readonly string[] {
  try {
    parseConfig(environment, features)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}
