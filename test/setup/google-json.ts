import type { Plugin } from 'rolldown'

/** Google's clients read JSON files that lie beside them, by paths that do not lead there from a bundle. */
export const importGooglesJson: Plugin = {
  name: 'import-googles-json',
  transform: {
    filter: { id: /@google-cloud\/[^/]+\/build\/esm\/.*_client\.js$/ },
    handler(code) {
      const imports: string[] = []
      const changed = code.replaceAll(/getJSON\(path\.join\(dirname, (.*?)\)\)/g, (_call, parts: string) => {
        const file = Array.from(parts.matchAll(/'(.*?)'/g), ([, part]) => part).join('/')
        return `json${imports.push(`./${file}`)}`
      })
      const lines = imports.map((file, index) => `import json${index + 1} from '${file}'`)
      return { code: [...lines, changed].join(';'), map: null }
    },
  },
}
