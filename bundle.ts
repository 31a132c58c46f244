import { relative } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'
import { copiedFile, copyFilesBeside, howToName } from './files-beside.ts'
import { isOf } from './unbundled.ts'

/**
 * zod-openapi gives all of zod to a function that needs one class of it. Then all of zod would be bundled, with its messages
 * in every language.
 */
const extendOneClass: Plugin = {
  name: 'extend-one-class',
  transform: {
    filter: { id: /@hono[\\/]zod-openapi[\\/]dist[\\/]index\.mjs$/ },
    handler(code) {
      const changed = code.replace('extendZodWithOpenApi(z)', 'extendZodWithOpenApi({ ZodType: z.ZodType })')
      return { code: changed, map: null }
    },
  },
}

/**
 * Drizzle asks of what kind a value is up to a hundred times for each query that it builds, and walks through the value's
 * classes each time. Here each class is looked at once.
 */
const rememberKinds: Plugin = {
  name: 'remember-kinds',
  transform: {
    filter: { id: /drizzle-orm[\\/]entity\.js$/ },
    handler(code) {
      const changed = code.replace(
        'function is(value, type) {',
        `${remembered}function isOfKind(value, type) {`,
      )
      if (changed === code)
        throw new Error('drizzle-orm/entity.js has changed: see rememberKinds in bundle.ts.')
      return { code: changed, map: null }
    },
  },
}

const remembered = `
const kinds = new WeakMap();
function is(value, type) {
  if (!value || typeof value !== "object") return false;
  const prototype = Object.getPrototypeOf(value);
  let known = kinds.get(prototype);
  if (!known) kinds.set(prototype, known = new Map());
  let answer = known.get(type);
  if (answer === undefined) known.set(type, answer = isOfKind(value, type));
  return answer;
}
`

/** How code finds files beside its own. Inside a bundle, none of these finds them. */
const ownPlace =
  /\b(?:__dirname|__filename|import\.meta\.(?:url|dirname|filename|resolve)|require\.resolve)\b/

/**
 * The bundler takes these for pure functions, and removes a call whose result nobody uses, as in
 * `try { decodeURIComponent(text) } catch { … }`. It keeps a call by way of `globalThis`.
 */
const keptCalls = Object.fromEntries(
  ['decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent'].map((name) => [
    name,
    `globalThis.${name}`,
  ]),
)

/** How our own code names the folders that the image has beside the bundle. */
const inImage = /new URL\((["'`])\.\.\/(?:migrations|openapi)\b[^"'`]*\1,[^,]*?__filename\)\.href\)/g

/** Refuses packages that would fail once they are bundled: at the start, or at each call. */
const refuseWhatMustStayOutside: Plugin = {
  name: 'refuse-what-must-stay-outside',
  load: {
    filter: { id: /\.node$/ },
    handler: () => ({ code: '', moduleType: 'js' }), // generateBundle refuses it if it is used
  },
  generateBundle(_options, output) {
    const modules = Object.values(output).flatMap((chunk) =>
      chunk.type === 'chunk' ? Object.entries(chunk.modules) : [],
    )
    const reasons = new Map<string, string>()
    for (const [id, { code }] of modules) {
      const name = packageOf(id)
      if (!name && code && ownPlace.test(code.replaceAll(inImage, '').replaceAll(copiedFile, '')))
        throw new Error(noFileBeside(id))
      if (name && id.endsWith('.node')) {
        // native code is often in a package for one platform: name the package that needs it
        const user =
          this.getModuleInfo(id)
            ?.importers.map(packageOf)
            .find((other) => other !== name) ?? name
        reasons.set(user, `${user} brings native code (${fileOf(id)})`)
      }
      const [place] = (name && code && ownPlace.exec(code)) || []
      if (name && place)
        reasons.set(name, `${name} looks for files beside its own (${place} in ${fileOf(id)})`)
    }
    if (reasons.size > 0) throw new Error(stayOutside([...reasons.values()]))
  },
}

function stayOutside(reasons: readonly string[]): string {
  return `What cannot be bundled stays outside: name these packages in "unbundled" of package.json.\n${reasons.join('\n')}`
}

function noFileBeside(id: string): string {
  return `${relative('.', id)} looks for files beside its own, which the image does not have. ${howToName}`
}

/** The package that a file belongs to; `undefined` for one of ours. */
function packageOf(file: string): string | undefined {
  return /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)?.[1]
}

function fileOf(file: string): string {
  return file.replace(/.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+[\\/]/, '')
}

/**
 * Bundles sources with all that they import, except the packages that stay outside. The format is CommonJS: if
 * `node:http` is imported as a module, Node looks at each of its exports, and loads more than a service needs.
 *
 * @param input the sources, by the names of their files in `dir`
 * @param unbundled the packages that stay outside: the bundle requires them from its own folder
 * @throws {Error} naming the packages that cannot be bundled, and imports that lead nowhere
 */
export async function bundle(
  input: Record<string, string>,
  dir: string,
  unbundled: readonly string[] = [],
): Promise<void> {
  const build = await rolldown({
    input,
    platform: 'node',
    external: (id) => id === 'pg-native' || isOf(unbundled, id),
    resolve: { mainFields: ['module', 'main'] },
    transform: { define: keptCalls },
    plugins: [extendOneClass, rememberKinds, copyFilesBeside, refuseWhatMustStayOutside],
    onLog(level, log, handle) {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message)
      handle(level, log)
    },
  })
  await build.write({
    dir,
    format: 'cjs',
    minify: { compress: true, codegen: true, mangle: false }, // stack traces keep their names
    sourcemap: true,
  })
  await build.close()
}
