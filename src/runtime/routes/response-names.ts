import { type ProblemDefinition, problems as p } from '../kernel/problem.ts'

/**
 * Groups of problems that routes have in common, by the name of their response in the contract. A group that contains
 * another comes before it. No group has the name of a code.
 */
const groups: Readonly<Record<string, readonly ProblemDefinition[]>> = {
  BadRequest: [p.MALFORMED_REQUEST, p.VALIDATION_FAILED],
  Unauthenticated: [p.TOKEN_MISSING, p.TOKEN_INVALID, p.TOKEN_EXPIRED],
  InternalServerError: [p.INTERNAL],
  ServiceOrIdentityUnavailable: [
    ...[p.IDENTITY_UNAVAILABLE, p.OVERLOADED, p.DATABASE_UNAVAILABLE, p.DEADLINE_EXCEEDED],
  ],
  ServiceUnavailable: [p.OVERLOADED, p.DATABASE_UNAVAILABLE, p.DEADLINE_EXCEEDED],
}

/**
 * Names the response that shows these problems, which have the same status: `OrderNotFound` for ORDER_NOT_FOUND,
 * `BadRequest` for a group, and `ServiceUnavailableOrNotReady` for a group and a code.
 *
 * @returns the name, and the problems in the order of the name
 */
export function responseNameOf(definitions: Iterable<ProblemDefinition>): {
  name: string
  problems: ProblemDefinition[]
} {
  const given = new Set(definitions)
  const [group, members] = Object.entries(groups).find(([, all]) => all.every((one) => given.has(one))) ?? []
  const others = [...given]
    .filter((one) => !members?.includes(one))
    .sort((a, b) => (a.code < b.code ? -1 : 1))
  const names = [...(group ? [group] : []), ...others.map(({ code }) => pascalCase(code))]
  return { name: names.join('Or'), problems: [...(members ?? []), ...others] }
}

/**
 * Refuses codes that would have the same name in the contract.
 *
 * @throws {Error} naming the code
 */
export function uniqueResponseNames(codes: Iterable<string>): void {
  const owners = new Map<string, string>()
  for (const code of codes) {
    const name = pascalCase(code)
    const owner = owners.get(name)
    if (name === '')
      throw new Error(`The problem ${code} has no letter: give it a code such as ORDER_NOT_FOUND.`)
    if (Object.hasOwn(groups, name))
      throw new Error(
        `The contract has a response ${name} of the runtime’s: give the problem ${code} another code.`,
      )
    if (owner !== undefined && owner !== code)
      throw new Error(
        `The contract would show the problems ${owner} and ${code} as ${name}: rename one of them.`,
      )
    owners.set(name, code)
  }
}

/** `ORDER_NOT_FOUND` as `OrderNotFound`. */
function pascalCase(code: string): string {
  const words = code.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return words
    .map(
      (word) =>
        word.charAt(0).toUpperCase() + (/[a-z]/.test(word) ? word.slice(1) : word.slice(1).toLowerCase()),
    )
    .join('')
}
