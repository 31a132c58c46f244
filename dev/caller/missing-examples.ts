type Content = Record<string, { example?: unknown; examples?: unknown }>
interface Operation {
  readonly requestBody?: { content?: Content }
  readonly responses?: Record<string, { content?: Content }>
}

/**
 * The JSON bodies of a contract that show no example, a line each, with what to write.
 *
 * @param contract an OpenAPI document
 */
export function missingExamples(contract: object): string[] {
  const { paths = {} } = contract as { paths?: Record<string, Record<string, Operation>> }
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { requestBody, responses = {} }]) => {
      const bodies: [string, Content | undefined][] = [
        ['the body', requestBody?.content],
        ...Object.entries(responses)
          .filter(([status]) => status.startsWith('2'))
          .map(([status, { content }]): [string, Content | undefined] => [`the response ${status}`, content]),
      ]
      return bodies
        .filter(([, content]) => Object.entries(content ?? {}).some(isBare))
        .map(
          ([what]) =>
            `${method.toUpperCase()} ${path}: ${what} has no example. Write .openapi('Name', { example: { … } }) after its schema.`,
        )
    }),
  )
}

function isBare([type, media]: [string, Content[string]]): boolean {
  return /[/+]json$/.test(type) && media.example === undefined && media.examples === undefined
}
