import { request } from 'node:http'
import { createInterface } from 'node:readline'

// What `gcloud` and `docker` are on the PATH of a rehearsal: hands its arguments over, prints the answer. It reads
// no standard input: that may be its caller's loop.

const [url = '', tool, ...args] = process.argv.slice(2)

process.exitCode = 1
request(url, { method: 'POST' }, (answer) => {
  createInterface({ input: answer }).on('line', (line) => {
    const { out = '', error = '', status = 1 } = JSON.parse(line)
    process.stdout.write(out)
    process.stderr.write(error)
    process.exitCode = status
  })
}).end(JSON.stringify({ tool, args, folder: process.cwd() }))
