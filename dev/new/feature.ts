import { existsSync, globSync, readFileSync } from 'node:fs'
import { refuseDoubles } from './doubles.ts'
import { addFeature } from './edit.ts'
import { writeMigration } from './migration.ts'
import { featureNames, type Names } from './names.ts'
import { featureFiles, render } from './template.ts'
import { run, writeDrafts } from './write.ts'

/**
 * Writes a feature: its table, schemas, routes, a task and tests. Lists it in src/app.ts, and writes its migration and the
 * contract.
 *
 * @param plural its name, as one types it
 * @param singular if English does not form it by rule
 * @returns the files, and what comes next
 * @throws {TypeError} for a name that cannot be
 */
export function newFeature(plural: string | undefined, singular: string | undefined): string[] {
  const names = featureNames(plural, singular)
  const { kebab, camel, snake } = names.many
  refuseTaken(names)
  const made = featureFiles.map((path) => render(path, names))
  refuseDoubles(made, kebab)
  const app = readFileSync('src/app.ts', 'utf8')
  const changed = addFeature('src/app.ts', app, camel, `./${kebab}/${kebab}.ts`)
  writeDrafts(made, [{ path: 'src/app.ts', text: changed }])
  if (writeMigration(`add_${snake}`) !== 0)
    throw new Error(`The migration was not written: npm run migration -- --name add_${snake}`)
  run('npm run openapi', ['dev/openapi.ts'])
  return [
    ...made.map(({ path }) => `made     ${path}`),
    'changed  src/app.ts, openapi/ and migrations/features/',
    `next     npm run dev, and call it: TOKEN=$(npm run -s token -- --scope "${kebab}:read ${kebab}:write")`,
    `next     npx vitest run --project service test/${kebab}`,
  ]
}

function refuseTaken({ many, one }: Names): void {
  const mend = 'take another name, or change what is there'
  for (const folder of [`src/${many.kebab}`, `test/${many.kebab}`])
    if (existsSync(folder)) throw new TypeError(`${folder} exists already: ${mend}`)
  const table = new RegExp(`[tT]able\\(\\s*'${many.snake}'`)
  const taken = globSync('src/**/{table,*-table}.ts').find(
    (path) => table.test(readFileSync(path, 'utf8')) && !path.startsWith('src/runtime'),
  )
  if (taken) throw new TypeError(`${taken} has a table ${many.snake} already: ${mend}`)
  const { paths, components } = JSON.parse(readFileSync('openapi/openapi.json', 'utf8'))
  if (paths[`/${many.kebab}`])
    throw new TypeError(`A route of the path /${many.kebab} exists already: ${mend}`)
  const schema = [one.pascal, `New${one.pascal}`, `${one.pascal}Page`].find(
    (name) => components?.schemas?.[name],
  )
  if (schema) throw new TypeError(`The contract has a schema ${schema} already: ${mend}`)
}
