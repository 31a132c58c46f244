import { createHash } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** Where the keys are, below the issuer's URL: as with Google. */
export const keysPath = '/oauth2/v3/certs'

const lifetime = 3600
/** Signing costs more than a dispatch: a token serves its target for so many seconds. */
const reuse = 300

/** Issues tokens as Google does for a service account, with a key of its own. */
export interface Oidc {
  /** The token for this audience and account. */
  token(audience: string, email: string): Promise<string>
  /** A token with these claims over those of `token`, `undefined` to leave one out: for tests of refusals. */
  sign(claims: JWTPayload & { email: string }): Promise<string>
  /** The public keys, as a JWKS. */
  readonly keys: { readonly keys: readonly object[] }
}

/** Makes a new key and its issuer. Times are the real ones, which is what a verifier goes by. */
export async function createOidc(issuer: () => string): Promise<Oidc> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const header = { alg: 'RS256', kid: 'emulator', typ: 'JWT' }
  const cached = new Map<string, { token: Promise<string>; until: number }>()
  const seconds = () => Math.floor(Date.now() / 1000)

  function sign(claims: JWTPayload & { email: string }): Promise<string> {
    const [iat, sub] = [seconds(), accountId(claims.email)]
    const usual = { iss: issuer(), sub, azp: sub, email_verified: true, iat, exp: iat + lifetime }
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).sign(privateKey)
  }

  return {
    sign,
    token(audience, email) {
      const id = `${audience} ${email}`
      let entry = cached.get(id)
      if (!entry || entry.until <= seconds()) {
        entry = { token: sign({ aud: audience, email }), until: seconds() + reuse }
        cached.set(id, entry)
      }
      return entry.token
    },
    keys: { keys: [{ ...(await exportJWK(publicKey)), kid: header.kid, alg: header.alg, use: 'sig' }] },
  }
}

/** A service account's 21 digits. */
function accountId(email: string): string {
  const digest = createHash('sha256').update(email).digest('hex').slice(0, 16)
  return `1${BigInt(`0x${digest}`).toString().padStart(20, '0')}`
}
