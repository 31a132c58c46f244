/** A change of a file that cannot be made: somebody wrote the file in another way. */
export class EditError extends Error {}

/**
 * Adds an import after the last one.
 *
 * @throws {EditError} if the file imports nothing
 */
export function addImport(path: string, text: string, line: string): string {
  const last = [...text.matchAll(/^(?:import [^\n]*|\} )from '[^']+'$/gm)].at(-1)
  if (!last) throw new EditError(`${path} has no import: add by hand: ${line}`)
  const end = last.index + last[0].length
  return `${text.slice(0, end)}\n${line}${text.slice(end)}`
}

/**
 * Adds a feature to `features` of src/app.ts.
 *
 * @throws {EditError} if there is no such list
 */
export function addFeature(path: string, text: string, name: string, from: string): string {
  const list = /^(export const features: readonly Feature\[\] = \[)([^\]]*)\]/m
  if (!list.test(text))
    throw new EditError(`${path} has no line 'export const features: readonly Feature[] = […]': write it so`)
  const changed = text.replace(list, (_all, start, names) => `${start}${appended(names, name)}]`)
  return addImport(path, changed, `import { ${name} } from '${from}'`)
}

/**
 * Adds a task or a schedule to the feature of a file.
 *
 * @param key the list of `defineFeature`
 * @throws {EditError} if the file has no `defineFeature({ … routes … })`
 */
export function addToFeature(path: string, text: string, key: 'tasks' | 'schedules', name: string): string {
  const list = new RegExp(`^( +${key}: \\[)([^\\]]*)\\]`, 'm')
  if (list.test(text)) return text.replace(list, (_all, start, names) => `${start}${appended(names, name)}]`)
  const routes = /^( +)(?=(?:async )?routes\b)/m
  if (!text.includes('defineFeature({') || !routes.test(text))
    throw new EditError(
      `${path} has no 'defineFeature({ … routes … })' that a list of ${key} fits into: write it so`,
    )
  return text.replace(routes, (indent) => `${indent}${key}: [${name}],\n${indent}`)
}

function appended(names: string, name: string): string {
  const rest = names.trim().replace(/,$/, '')
  return rest === '' ? name : `${rest}, ${name}`
}
