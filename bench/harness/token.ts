import { createHmac } from 'node:crypto'

/**
 * The key of all contestants' tokens. HS256, because every contestant can verify it without a server for keys, and because
 * the signature is cheap: what is measured is what stands around it.
 */
export const auth = {
  AUTH_SECRET: 'the-benchmark-signs-its-tokens-with-this-text',
  AUTH_ISSUER: 'bench',
  AUTH_AUDIENCE: 'bench',
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs a token for a subject, which may read and place orders. It is valid for a day. */
export function signToken(
  subject: string,
  secret = auth.AUTH_SECRET,
  scope = 'orders:read orders:write',
): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    ...{ scope, iss: auth.AUTH_ISSUER, aud: auth.AUTH_AUDIENCE, sub: subject, iat: now, exp: now + 86_400 },
  }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
