import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

const lifetime = 3600
/** Signing costs more than a dispatch: a token serves its target for so many seconds. */
const reuse = 300
const account = '100000000000000000001'

export type Oidc = Awaited<ReturnType<typeof createOidc>>

/** Issues tokens as Google does for a service account, at the real time, which is what a verifier goes by. */
export async function createOidc(issuer: () => string) {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const header = { alg: 'RS256', kid: 'emulator', typ: 'JWT' }
  const cached = new Map<string, { token: Promise<string>; until: number }>()
  const seconds = () => Math.floor(Date.now() / 1000)

  /** A token with these claims over those of `token`, `undefined` to leave one out: for tests of refusals. */
  function sign(claims: JWTPayload & { email: string }): Promise<string> {
    const iat = seconds()
    const usual = {
      iss: issuer(),
      sub: account,
      azp: account,
      email_verified: true,
      iat,
      exp: iat + lifetime,
    }
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).sign(privateKey)
  }

  /** The Authorization header for this audience and account. */
  async function bearer(audience: string, email: string): Promise<string> {
    const id = `${audience} ${email}`
    const known = cached.get(id)
    if (known && known.until > seconds()) return `Bearer ${await known.token}`
    const token = sign({ aud: audience, email })
    cached.set(id, { token, until: seconds() + reuse })
    return `Bearer ${await token}`
  }

  /** The public keys, as a JWKS. */
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: header.kid, alg: header.alg, use: 'sig' }] }
  return { sign, bearer, keys }
}
