import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

const lifetimeSeconds = 3600
/** How long a token is reused for its target: signing costs more than a dispatch. */
const reuseSeconds = 300
const account = '100000000000000000001'

export type Oidc = Awaited<ReturnType<typeof createOidc>>

/** Issues tokens as Google does for a service account. They carry the real time, which a verifier checks. */
export async function createOidc(issuer: () => string) {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const header = { alg: 'RS256', kid: 'emulator', typ: 'JWT' }
  const cached = new Map<string, { token: Promise<string>; until: number }>()
  const seconds = () => Math.floor(Date.now() / 1000)

  /** Signs a token with these claims in place of the usual ones; `undefined` leaves one out. For tests of refusals. */
  function sign(claims: JWTPayload & { email: string }): Promise<string> {
    const iat = seconds()
    const usual = {
      iss: issuer(),
      sub: account,
      azp: account,
      email_verified: true,
      iat,
      exp: iat + lifetimeSeconds,
    }
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).sign(privateKey)
  }

  /** The Authorization header for this audience and account. */
  async function bearer(audience: string, email: string): Promise<string> {
    const id = `${audience} ${email}`
    const known = cached.get(id)
    if (known && known.until > seconds()) return `Bearer ${await known.token}`
    const token = sign({ aud: audience, email })
    cached.set(id, { token, until: seconds() + reuseSeconds })
    return `Bearer ${await token}`
  }

  /** The public keys, as a JWKS. */
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: header.kid, alg: header.alg, use: 'sig' }] }
  return { sign, bearer, keys }
}
