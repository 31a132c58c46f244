import { Hono } from 'hono'
import { type Duration, toMilliseconds } from '#runtime'
import type { FaultSettings, Faults } from './faults.ts'
import type { Oidc } from './oidc.ts'
import type { TickTarget } from './scheduler.ts'

/** What can be asked of an emulator, and changed. */
interface Controlled {
  readonly issuer: string
  readonly keysUrl: string
  readonly oidc: Oidc
  readonly faults: Faults
  state(): { now: string }
  advance(milliseconds: number): void
  tick(target: TickTarget): Promise<number>
}

/** What the emulator serves over HTTP beside Google's API: the keys of its tokens, and itself under /emulator. */
export function createControl({ issuer, keysUrl, ...emulator }: Controlled): Hono {
  return new Hono()
    .onError((error, c) => c.json({ error: error.message }, 400))
    .get('/.well-known/openid-configuration', (c) => c.json({ issuer, jwks_uri: keysUrl }))
    .get(new URL(keysUrl).pathname, (c) => c.json(emulator.oidc.keys))
    .get('/emulator', (c) => c.json(emulator.state()))
    .post('/emulator/faults', async (c) => c.json(emulator.faults.set(await c.req.json<FaultSettings>())))
    .post('/emulator/clock', async (c) => {
      const { advance } = await c.req.json<{ advance: Duration }>()
      emulator.advance(toMilliseconds(advance))
      return c.json({ now: emulator.state().now })
    })
    .post('/emulator/tick', async (c) =>
      c.json({ status: await emulator.tick(await c.req.json<TickTarget>()) }),
    )
}
