import { addImport, addToFeature } from './edit.ts'
import { checkKebab, formsOf } from './names.ts'
import { reservedWords } from './reserved.ts'
import { render, workFiles } from './template.ts'
import { findFeatureFile, writeDrafts } from './write.ts'

/**
 * Writes a task, or a schedule and its task, with a test, and lists it in its feature.
 *
 * @param given its whole name: the feature's name, a dot, its own
 * @returns the files, and what comes next
 * @throws {TypeError} for a name that cannot be
 */
export function newWork(kind: 'task' | 'schedule', given: string | undefined): string[] {
  const command = `npm run new -- ${kind} `
  const { feature, name } = split(kind, given, command)
  const found = findFeatureFile(feature)
  if (!found)
    throw new TypeError(
      `There is no feature ${feature}, in src/${feature}/. Make it first: npm run new -- feature ${feature}`,
    )
  const work = formsOf(name)
  if (reservedWords.has(work.camel))
    throw new TypeError(
      `${work.camel} is a reserved word of TypeScript. Write: ${command}${feature}.${name}-${feature}`,
    )
  const names = { many: formsOf(feature), one: formsOf(feature) }
  const made = workFiles[kind].map((path) => render(path, names, work))
  const exported = kind === 'task' ? [work.camel] : [`${work.camel}Task`, work.camel]
  const double = exported.find((one) => new RegExp(`\\b${one}\\b`).test(found.text))
  if (double) throw new TypeError(`${found.path} has a ${double} already: take another name`)
  const [task = '', schedule] = exported
  const imported = addImport(found.path, found.text, `import { ${exported.join(', ')} } from './${name}.ts'`)
  const listed = addToFeature(found.path, imported, 'tasks', task)
  const text = schedule ? addToFeature(found.path, listed, 'schedules', schedule) : listed
  writeDrafts(made, [{ path: found.path, text }])
  return [
    ...made.map(({ path }) => `made     ${path}`),
    `changed  ${found.path}`,
    `next     npx vitest run --project service test/${feature}/${name}.test.ts`,
  ]
}

function split(kind: string, given: string | undefined, command: string): { feature: string; name: string } {
  const [feature = '', name, more] = given?.split('.') ?? []
  if (!given || !name || more !== undefined)
    throw new TypeError(
      `Name the ${kind} after its feature, a dot, and what it does: ${command}${feature && !name ? `FEATURE.${feature}` : 'orders.remind'}`,
    )
  checkKebab('feature', feature, command)
  return { feature, name: checkKebab(kind, name, `${command}${feature}.`) }
}
