import type { Draft } from '../template.ts'
import type { RouteDraft } from './operation.ts'
import { docComment } from './print.ts'
import type { Written } from './schema-book.ts'
import type { KeyDraft } from './security.ts'
import { oneLine, quote } from './words.ts'

/** What a feature is written from. */
export interface FeatureDraft {
  readonly kebab: string
  readonly camel: string
  /** `PET_STORE`, in front of its problems. */
  readonly upper: string
  readonly title: string
  readonly file: string
  readonly routes: readonly RouteDraft[]
  readonly schemas: readonly Written[]
  readonly keys: readonly KeyDraft[]
}

/** Problems of statuses that a route may list; the runtime adds 400, 401, 403 of scopes, 405, 413, 415, 500 and 503 itself. */
const problemsByStatus: Readonly<Record<number, string>> = {
  ...{ 402: 'PAYMENT_REQUIRED', 403: 'FORBIDDEN', 406: 'NOT_ACCEPTABLE', 409: 'CONFLICT', 410: 'GONE' },
  ...{ 422: 'UNPROCESSABLE_CONTENT', 423: 'LOCKED', 424: 'FAILED_DEPENDENCY', 428: 'PRECONDITION_REQUIRED' },
  ...{
    429: 'TOO_MANY_REQUESTS',
    451: 'UNAVAILABLE_FOR_LEGAL_REASONS',
    502: 'BAD_GATEWAY',
    504: 'GATEWAY_TIMEOUT',
  },
}

/** Statuses of errors that a route need not list: the runtime adds them where they can happen. */
const added = new Set([400, 401, 405, 413, 415, 500, 501, 503])

/** Whether a status becomes a problem, or the runtime has it. */
export function isKnownError(status: number): boolean {
  return status === 404 || added.has(status) || status in problemsByStatus
}

/** Writes the files of a feature below src/. */
export function writeCode(feature: FeatureDraft): Draft[] {
  const folder = `src/${feature.kebab}`
  const hasMissing = feature.routes.some(({ errors }) => errors.includes(404))
  return [
    ...(feature.schemas.length > 0 ? [{ path: `${folder}/schemas.ts`, text: schemasFile(feature) }] : []),
    ...(hasMissing ? [{ path: `${folder}/problems.ts`, text: problemsFile(feature) }] : []),
    ...(feature.keys.length > 0 ? [{ path: `${folder}/keys.ts`, text: keysFile(feature) }] : []),
    { path: `${folder}/routes.ts`, text: routesFile(feature, hasMissing) },
    { path: `${folder}/${feature.kebab}.ts`, text: featureFile(feature, hasMissing) },
  ]
}

function importOf(names: Iterable<string>, from: string): string {
  const sorted = [...names].sort()
  return sorted.length > 0 ? `import { ${sorted.join(', ')} } from '${from}'\n` : ''
}

function schemasFile({ schemas }: FeatureDraft): string {
  const codes = schemas.map(({ code }) => code).join('\n\n')
  const names = [/\bfile\(\)/.test(codes) ? 'file' : '', 'z'].filter(Boolean)
  return `${importOf(names, '#runtime')}\n${codes}\n`
}

function problemsFile({ camel, upper, kebab }: FeatureDraft): string {
  return `${importOf(['defineProblems'], '#runtime')}
/** The problems of ${kebab}, beside those that any request may have. */
export const ${camel}Problems = defineProblems({
  ${upper}_NOT_FOUND: { status: 404, title: 'There is no such thing' },
})
`
}

function keysFile({ keys }: FeatureDraft): string {
  const all = keys.map(
    ({
      constant,
      name,
      header,
    }) => `/** The API key in the header ${header}. It refuses every key until findOwner is written: find the row of the key's hash. */
export const ${constant} = defineApiKey({
  name: ${quote(name)},
  header: ${quote(header)},
  findOwner: () => Promise.resolve(undefined),
})
`,
  )
  return `${importOf(['defineApiKey'], '#runtime')}\n${all.join('\n')}`
}

function routesFile(feature: FeatureDraft, hasMissing: boolean): string {
  const { routes, camel, file } = feature
  const all = (of: (route: RouteDraft) => Iterable<string>) =>
    new Set(routes.flatMap((route) => [...of(route)]))
  const problems = hasMissing ? [`${camel}Problems`] : []
  return `${importOf(
    all(({ uses }) => uses.runtime),
    '#runtime',
  )}${importOf(
    all(({ uses }) => uses.keys),
    './keys.ts',
  )}${importOf(problems, './problems.ts')}${importOf(
    all(({ uses }) => uses.schemas),
    './schemas.ts',
  )}
// From ${oneLine(file)}. A route lists NOT_IMPLEMENTED until its handler is written: then take it out, and its line in the test.

${routes.map((route) => routeCode(route, feature)).join('\n\n')}
`
}

function routeCode(route: RouteDraft, { camel, upper }: FeatureDraft): string {
  const own = route.errors.flatMap((status) => {
    if (status === 404) return [`${camel}Problems.${upper}_NOT_FOUND`]
    return problemsByStatus[status] ? [`statusProblems.${problemsByStatus[status]}`] : []
  })
  const members = [
    ...[
      `method: ${quote(route.method)}`,
      `path: ${quote(route.path)}`,
      `operationId: ${quote(route.operationId)}`,
    ],
    ...[
      `summary: ${quote(route.summary)}`,
      route.description ? `description: ${quote(route.description)}` : '',
    ],
    `security: ${route.security}`,
    route.request.length > 0 ? `request: { ${route.request.join(', ')} }` : '',
    `responses: { ${route.responses.join(', ')} }`,
    `problems: [${['statusProblems.NOT_IMPLEMENTED', ...own].join(', ')}]`,
  ]
  return `export const ${route.constant} = defineRoute({\n  ${members.filter(Boolean).join(',\n  ')},\n})`
}

function featureFile({ kebab, camel, title, file, routes }: FeatureDraft, hasMissing: boolean): string {
  const handlers = routes.map(
    ({ constant, origin }) =>
      `${origin ? `    // ${oneLine(origin)}\n` : ''}    handle(routes.${constant}, notWritten),`,
  )
  return `${importOf(['defineFeature', 'handle', 'Problem', 'statusProblems'], '#runtime')}${hasMissing ? importOf([`${camel}Problems`], './problems.ts') : ''}import * as routes from './routes.ts'

/** In place of a handler that is not written yet: write \`(c) => …\` there. */
function notWritten(): never {
  throw new Problem(statusProblems.NOT_IMPLEMENTED)
}

${docComment([`${title} From ${file}.`])}
export const ${camel} = defineFeature({
  name: ${quote(kebab)},
  description: ${quote(title)},${hasMissing ? `\n  problems: ${camel}Problems,` : ''}
  routes: () => [
${handlers.join('\n')}
  ],
})
`
}
