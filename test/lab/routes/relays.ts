import { setImmediate as nextTurn } from 'node:timers/promises'
import { handlePlain, tracedFetch } from '#runtime'

const target = (url: string | undefined) => url ?? 'http://nobody.invalid'

/** What goes through the service to others, and back, as it comes. */
export function relays() {
  return [
    handlePlain({ method: 'post', path: '/relays/upload', security: 'public' }, async (c) => {
      const { body } = c.req.raw
      const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
      const response = await tracedFetch(target(c.req.query('to')), init)
      return new Response(response.body, { status: response.status })
    }),

    handlePlain({ method: 'get', path: '/relays/download', security: 'public' }, async (c) => {
      const response = await tracedFetch(target(c.req.query('from')))
      return new Response(response.body, { status: response.status })
    }),
    // a source that fails also when it is told that nobody wants it
    handlePlain({ method: 'post', path: '/relays/sulking', security: 'public' }, async (c) => {
      const body = new ReadableStream({
        async pull(controller) {
          await nextTurn()
          controller.enqueue(new Uint8Array(1024))
        },
        cancel: () => Promise.reject(new Error('It sulks')),
      })
      const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
      const response = await tracedFetch(target(c.req.query('to')), init)
      return new Response(response.body, { status: response.status })
    }),
    // two at once, of which the second is not waited for where the first fails
    handlePlain({ method: 'get', path: '/relays/two', security: 'public' }, async (c) => {
      const first = tracedFetch(target(c.req.query('first')))
      const second = tracedFetch(target(c.req.query('second')))
      return c.text(`${await (await first).text()}${await (await second).text()}`)
    }),
  ]
}
