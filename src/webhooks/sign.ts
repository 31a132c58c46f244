import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'

/** Creates the secret of a webhook: 32 random bytes, as Standard Webhooks writes them. */
export function createSecret(): string {
  return `${prefix}${randomBytes(32).toString('base64')}`
}

/**
 * The headers by which a receiver knows that a webhook is ours, and that it is new.
 *
 * @param secrets each of them signs: there are two while a secret is rotated
 * @param message.id the same for all attempts, so that the receiver can recognise a repeat
 * @param message.body what is sent, exactly
 * @param seconds the time of the attempt, since 1970
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatureHeaders(
  secrets: readonly string[],
  { id, body }: { id: string; body: string },
  seconds: number,
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  }
}
