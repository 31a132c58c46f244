import { Refusal } from '../shell/programs.ts'

/** Stands in for `oasdiff breaking OLD NEW [--fail-on ERR]`. Only a removed operation is breaking. Returns what it prints. */
export async function breaking([, before = '', after = '', ...flags]: readonly string[]): Promise<string> {
  const now = await operations(after)
  const removed = (await operations(before)).filter((operation) => !now.includes(operation))
  const text = [`${removed.length} operations removed`, ...removed, ''].join('\n')
  if (removed.length > 0 && flags.join(' ') === '--fail-on ERR') throw new Refusal(text)
  return text
}

async function operations(url: string): Promise<string[]> {
  const { paths } = (await (await fetch(url)).json()) as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
}
