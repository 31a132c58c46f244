import { fileURLToPath } from 'node:url'
import { type Plugin, rolldown } from 'rolldown'

/** Its index brings two beta versions as well. */
const cloudTasksV2 = fileURLToPath(
  new URL('./node_modules/@google-cloud/tasks/build/esm/src/v2/index.js', import.meta.url),
)

/** Google's clients read JSON files that lie beside their sources, by paths that do not lead there from a bundle. */
const importGooglesJson: Plugin = {
  name: 'import-googles-json',
  transform: {
    filter: { id: /@google-cloud[\\/][^\\/]+[\\/]build[\\/]esm[\\/].*_client\.js$/ },
    handler(code) {
      const imports: string[] = []
      const changed = code.replaceAll(/getJSON\(path\.join\(dirname, (.*?)\)\)/g, (_call, parts: string) => {
        const file = Array.from(parts.matchAll(/'(.*?)'/g), ([, part]) => part).join('/')
        return `json${imports.push(`./${file}`)}`
      })
      const lines = imports.map((file, index) => `import json${index + 1} from '${file}'`)
      return { code: [...lines, changed].join(';'), map: null } // all lines stay where they were
    },
  },
}

/** It hands all of zod to a function that needs one class of it: all of zod would be bundled, in every language. */
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
 * Bundles sources with all that they import. CommonJS, since importing `node:http` as a module has Node look at
 * each of its exports, which loads more than a service needs.
 *
 * @param input the sources, by the names of the files that they become in `dir`
 */
export async function bundle(input: Record<string, string>, dir: string): Promise<void> {
  const external = ['pg-native']
  const resolve = { alias: { '@google-cloud/tasks': cloudTasksV2 }, mainFields: ['module', 'main'] }
  const build = await rolldown({
    input,
    platform: 'node',
    external,
    resolve,
    plugins: [importGooglesJson, extendOneClass],
  })
  await build.write({
    dir,
    format: 'cjs',
    minify: { compress: true, codegen: true, mangle: false }, // stack traces keep their names
    sourcemap: true,
  })
  await build.close()
}
