/** A request of an `.http` file, as the editors' REST clients read it. */
export interface HttpExample {
  readonly title: string
  /** The status that the title states: `### Place an order → 201`. */
  readonly status: number
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
  /** What a comment asks the reader to copy: `Copy \`id\` of the response into @id above.` */
  readonly copied: { readonly field: string; readonly variable: string } | undefined
}

/** The variables of an `.http` file (`@name = value`), and its requests, whose variables are not filled in yet. */
export function parseHttpFile(text: string): { variables: Record<string, string>; examples: HttpExample[] } {
  const [head = '', ...blocks] = text.split(/^### */m)
  const pairs = [...head.matchAll(/^@(\w+) = (.*)$/gm)].map(([, name = '', value = '']) => [name, value])
  return { variables: Object.fromEntries(pairs), examples: blocks.map(parseBlock) }
}

/** A text with its variables filled in. @throws {Error} naming a variable that the file does not set */
export function fillIn(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{(.*?)\}\}/g, (_placeholder, name: string) => {
    const value = variables[name]
    if (value === undefined) throw new Error(`The file sets no @${name}.`)
    return value
  })
}

/** @throws {Error} for a title without a status, and for a request line that is none */
function parseBlock(block: string): HttpExample {
  const [title = '', ...lines] = block.split('\n')
  const status = Number(/ → (\d{3})$/.exec(title)?.[1])
  if (!status) throw new Error(`"### ${title}" does not end with a status, such as: → 200`)
  const [, field, variable] = /^# Copy `(\w+)` of the response into @(\w+)/m.exec(block) ?? []
  const request = lines
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .trim()
  const [head = '', ...body] = request.split(/\n\n/)
  const [first = '', ...headers] = head.split('\n')
  const [, method, url] = /^([A-Z]+) (\S+)$/.exec(first) ?? []
  if (!method || !url) throw new Error(`"### ${title}" has no request line, such as: GET {{base}}/orders`)
  return {
    ...{ title, status, method, url },
    headers: Object.fromEntries(headers.map((line) => line.split(/: (.*)/, 2) as [string, string])),
    body: body.length > 0 ? body.join('\n\n') : undefined,
    copied: field && variable ? { field, variable } : undefined,
  }
}
