import { json } from 'node:stream/consumers'
import { hasColours } from './machine/say.ts'
import { describeEntries } from './service/cloud-lines.ts'

// What deploy/logs pipes the entries of Cloud Logging into.
process.stdout.write(describeEntries(await json(process.stdin), hasColours()))
