import type { Draft } from './template.ts'

/** Refuses a name whose files would import, declare or be called the same thing twice: `tasks`, `problems`. */
export function refuseDoubles(drafts: readonly Draft[], name: string): void {
  const paths = drafts.map(({ path }) => path)
  const places = drafts.flatMap(({ path, text }) => {
    const imported = [...text.matchAll(/^import (?:type )?\{([^}]*)\}/gm)].flatMap(
      ([, list = '']) => list.replaceAll(/\btype\b/g, '').match(/\w+/g) ?? [],
    )
    const declared = [...text.matchAll(/^(?:export )?(?:async )?(?:const|function|type) (\w+)/gm)].map(
      ([, word = '']) => word,
    )
    return [...imported, ...declared].map((word) => `${word} in ${path}`)
  })
  const double = [...paths, ...places].find((place, index, all) => all.indexOf(place) < index)
  if (double)
    throw new TypeError(
      `A feature cannot be named ${name}: ${double} would stand for two things. Write: npm run new -- feature customer-${name}`,
    )
}
