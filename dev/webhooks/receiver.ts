import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { Webhook } from 'standardwebhooks'

// `npm run receiver -- http://localhost:9000/ "$SECRET"`: a receiver of webhooks, as one would write it. It prints each event
// whose signature is right. With `--events 2` it ends after two.

const usage = 'Usage: npm run receiver -- http://localhost:9000/ whsec_… [--events 2]'

/** What the command line says. @throws {TypeError} that says what is wrong */
function settings() {
  const { values, positionals } = parseArgs({
    options: { events: { type: 'string' } },
    allowPositionals: true,
  })
  const [url = '', secret = ''] = positionals
  const { protocol, hostname, port } = URL.parse(url) ?? {}
  if (protocol !== 'http:' || !hostname) throw new TypeError(`'${url}' is no URL to listen on.`)
  if (!secret.startsWith('whsec_'))
    throw new TypeError('The secret is missing: POST /webhooks responds with it.')
  return { hostname, port: Number(port || 80), webhook: new Webhook(secret), events: Number(values.events) }
}

/** Listens until it has received as many events as it should; for ever, if no number is given. */
function listen({ hostname, port, webhook, events }: ReturnType<typeof settings>): void {
  let received = 0
  const server = createServer(async (request, response) => {
    let body = '' // the signature covers these bytes: verify first, parse then
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    try {
      const { type, data } = webhook.verify(body, request.headers as Record<string, string>) as {
        type: string
        data: unknown
      }
      console.log(`verified ${request.headers['webhook-id']} ${type} ${JSON.stringify(data)}`)
      response.writeHead(204).end()
      received += 1
    } catch (error) {
      console.log(`refused  ${error instanceof Error ? error.message : error}`)
      response.writeHead(400).end()
    }
    if (received === events) server.close()
  })
  server.listen(port, hostname, () => console.log(`Listening on http://${hostname}:${port}/`))
}

try {
  listen(settings())
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`)
  process.exitCode = 2
}
