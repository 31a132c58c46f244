import { expect } from 'vitest'

/**
 * Expects that nothing breaks a rule for a service's code. The failure says the rule, each place that breaks it, and
 * the mend. docs/testing.md lists the rules.
 */
export function expectRule(rule: string, places: readonly string[], mend: string): void {
  if (places.length > 0)
    expect.fail([rule, ...places.map((place) => `  ${place}`), `Mend: ${mend}`].join('\n'))
}
