import { renameService } from './fork/rename.ts'

// `npm run rename -- my-service`: gives the service its name, everywhere.

const words = process.argv.slice(2)
try {
  if (words.length > 1 || words[0]?.startsWith('-'))
    throw new TypeError('Usage: npm run rename -- my-service')
  const changed = renameService(words[0])
  console.log([...changed.map((path) => `changed  ${path}`), 'next     git diff, then npm test'].join('\n'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
