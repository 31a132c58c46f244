import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plugin } from 'rolldown'

/** How our own code names a file beside it: `new URL('./docs.html', import.meta.url)`. */
const beside = /\bnew URL\(\s*(['"`])(\.\/[^'"`]+)\1,\s*import\.meta\.url,?\s*\)/g

/** How it names a file of a package: `new URL('./browser/a.js', import.meta.resolve('a'))`. */
const ofPackage =
  /\bnew URL\(\s*(['"`])(\.{1,2}\/[^'"`]+)\1,\s*import\.meta\.resolve\((['"`])([^'"`]+)\3\),?\s*\)/g

/** What to write for a file that the image must have. */
export const howToName =
  "Name a file as in new URL('./page.html', import.meta.url) or new URL('./a.js', import.meta.resolve('a')): the build copies it."

/** These names in the bundle, where `./files` has the copies. */
export const copiedFile = /new URL\((["'`])\.\/files\/[^"'`]*\1,[^,]*?__filename\)\.href\)/g

/**
 * Copies files that our own code reads to `files/` beside the bundle: those beside a module, and those of a package. So the
 * same code finds them when it runs from source, in the bundle and in the image.
 *
 * @throws {Error} naming the module and the file that is not there
 */
export const copyFilesBeside: Plugin = {
  name: 'copy-files-beside',
  transform: {
    filter: { id: { exclude: /node_modules/ }, code: /\bnew URL\(|\bimport\.meta\.resolve\b/ },
    async handler(code, id) {
      const places = new Map<string, URL>()
      for (const [whole, , file = ''] of code.matchAll(beside))
        places.set(whole, new URL(file, pathToFileURL(id)))
      for (const [whole, , file = '', , name = ''] of code.matchAll(ofPackage)) {
        const entry = await this.resolve(name, id)
        if (!entry) throw new Error(`${relative('.', id)} reads a file of ${name}, which is not installed.`)
        places.set(whole, new URL(file, pathToFileURL(entry.id)))
      }
      let changed = code
      for (const [whole, place] of places) {
        const path = fileURLToPath(place)
        const source = await readFile(path).catch(() => undefined)
        if (!source) throw new Error(`${relative('.', id)} reads ${relative('.', path)}, which is not there.`)
        const fileName = `files/${relative('.', path)
          .replaceAll('\\', '/')
          .replace(/^(\.\.\/)+/, '')
          .replace(/^node_modules\//, '')}`
        this.emitFile({ type: 'asset', fileName, source })
        changed = changed.replaceAll(whole, `new URL('./${fileName}', import.meta.url)`)
      }
      if (changed.includes('import.meta.resolve'))
        throw new Error(
          `${relative('.', id)} asks where a package is, which the image does not have. ${howToName}`,
        )
      return { code: changed, map: null } // each line stays where it was
    },
  },
}
