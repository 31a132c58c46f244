import { ejectFiles, exampleNames } from './eject-files.ts'
import { isServiceName, renameFiles } from './rename-files.ts'

// Gives the template's files the form that they have in a fork, in this folder: `npm run upgrade` runs it in a copy of each
// release, so that it compares like with like. It leaves alone what is generated, and imports no package. It takes the fork's
// name and the examples that the fork took out, as JSON, and prints the examples that the template has.

const wanted: { name?: string; without?: string[] } = JSON.parse(process.argv[2] ?? '{}')
if (wanted.name && isServiceName(wanted.name)) renameFiles(wanted.name)
if (wanted.without?.length) ejectFiles(wanted.without)
console.log(JSON.stringify(exampleNames))
