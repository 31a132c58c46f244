import { cloneRawRequest } from 'hono/request'
import { handlePlain, type PlainOperation } from '#runtime'

type Handler = Parameters<typeof handlePlain<'public'>>[1]
type Requested = Parameters<Handler>[0]['req']

/** Every way to read a body, by its name: each gives its number of bytes, or what was read of it. */
const ways: Record<string, (req: Requested) => Promise<unknown>> = {
  json: (req) => req.json(),
  text: async (req) => (await req.text()).length,
  arrayBuffer: async (req) => (await req.arrayBuffer()).byteLength,
  bytes: async (req) => (await req.bytes()).length,
  blob: async (req) => (await req.blob()).size,
  formData: async (req) => Object.fromEntries(await req.formData()),
  parseBody: (req) => req.parseBody(),
  'raw.json': (req) => req.raw.json(),
  'raw.text': async (req) => (await req.raw.text()).length,
  'raw.arrayBuffer': async (req) => (await req.raw.arrayBuffer()).byteLength,
  'raw.bytes': async (req) => (await req.raw.bytes()).length,
  'raw.blob': async (req) => (await req.raw.blob()).size,
  'raw.formData': async (req) => Object.fromEntries(await req.raw.formData()),
  'raw.body': async (req) => {
    let size = 0
    for await (const chunk of req.raw.body ?? []) size += chunk.length
    return size
  },
  'raw.clone': async (req) => (await req.raw.clone().text()).length,
  'new Request': async (req) => (await new Request(req.raw).text()).length,
  cloneRawRequest: async (req) => (await (await cloneRawRequest(req)).text()).length,
  'all after one another': async (req) => {
    const { length } = await req.bytes()
    const sizes = [(await req.text()).length, (await req.raw.text()).length, (await req.blob()).size]
    let streamed = 0
    for await (const chunk of req.raw.body ?? []) streamed += chunk.length
    return { length, sizes: [...sizes, streamed], same: (await req.json()) === (await req.raw.json()) }
  },
}

/** Plain routes that take bodies: webhooks, uploads, whatever a contract cannot say. */
export function bodies(): PlainOperation[] {
  return [
    handlePlain({ method: 'post', path: '/bodies/:way', security: 'public', bodyLimit: 100_000 }, async (c) =>
      c.json((await ways[c.req.param('way') ?? '']?.(c.req)) ?? null),
    ),
    handlePlain({ method: 'post', path: '/own-json', security: 'public' }, (c) => c.json(JSON.parse('{bad'))),
    handlePlain({ method: 'get', path: '/large-page', security: 'public' }, (c) =>
      c.text('x'.repeat(5 * 1024 * 1024)),
    ),
  ]
}
