import type { ProblemFormat } from '../http/problem-format.ts'
import type { ProblemDefinition } from '../kernel/problem.ts'
import { responseNameOf } from '../routes/response-names.ts'
import type { Json } from '../schemas/json-schema.ts'

/** A response that shows problems, with its name in the contract. */
export interface ProblemResponse {
  readonly name: string
  readonly response: { readonly description: string; readonly content: Json }
}

/**
 * Writes the problems of an operation as responses, by status, each problem with an example.
 *
 * @param schema how the contract refers to the format's schema
 */
export function problemResponses(
  definitions: readonly ProblemDefinition[],
  { contentType, schema, format }: Omit<ProblemFormat, 'schema'> & { schema: Json },
): Map<string, ProblemResponse> {
  const byStatus = Map.groupBy(definitions, ({ status }) => String(status))
  const responses = [...byStatus].map(([status, kinds]): [string, ProblemResponse] => {
    const { name, problems } = responseNameOf(kinds)
    const description = problems.map(({ code, title }) => `\`${code}\`: ${title}.`).join(' ')
    const examples = problems.map((problem) => [
      problem.code,
      { summary: problem.title, value: format(exampleOf(problem)) },
    ])
    const content = { [contentType]: { examples: Object.fromEntries(examples), schema } }
    return [status, { name, response: { description, content } }]
  })
  return new Map(responses)
}

/** An example of a problem. Its path belongs to no operation, because several operations share the example. */
function exampleOf(problem: ProblemDefinition) {
  const request = { instance: '/the/path/of/the/request', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }
  return { ...problem, detail: undefined, userMessage: undefined, errors: undefined, ...request }
}
