import { eject } from './fork/eject.ts'

// `npm run eject`: takes the example out.

try {
  if (process.argv.length > 2) throw new TypeError('Usage: npm run eject')
  console.log([...eject(), 'next     git diff, then npm test'].join('\n'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
