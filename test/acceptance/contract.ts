import { readFileSync } from 'node:fs'
import { scopesIn } from '#src/runtime/openapi/scopes.ts' // not by #runtime: see credentials.ts

const { paths } = JSON.parse(
  readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8'),
) as {
  paths: Record<
    string,
    Record<string, { requestBody?: { content: object }; security?: Record<string, string[]>[] }>
  >
}

/** The scopes that the committed contract names. */
export const statedScopes = scopesIn({ paths })

/** The paths, without parameters, to which the committed contract has JSON posted and nothing else. */
export const takesJson = Object.entries(paths)
  .filter(([path, { post }]) => {
    const types = Object.keys(post?.requestBody?.content ?? {})
    return !path.includes('{') && types.length > 0 && types.every((type) => type === 'application/json')
  })
  .map(([path]) => path)
