import {
  decodeProtectedHeader,
  errors,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose'

/**
 * Verifies a token by the key that signed it. If several keys match the token's header, each is tried.
 *
 * @throws {errors.JWKSNoMatchingKey} when none of the keys signed it; and what `jwtVerify` throws
 * @see https://github.com/panva/jose/blob/main/docs/util/errors/classes/JWKSMultipleMatchingKeys.md
 */
export async function verifyByKeys(
  token: string,
  getKey: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, getKey, options)
  } catch (error) {
    if (isBadSignature(error) && namesNoKey(token)) throw new errors.JWKSNoMatchingKey()
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options)
      } catch (refused) {
        if (!isBadSignature(refused)) throw refused
      }
    }
    throw new errors.JWKSNoMatchingKey()
  }
}

/** Whether the token names no key (`kid`). Then a wrong signature may mean that the provider has replaced its key. */
function namesNoKey(token: string): boolean {
  return decodeProtectedHeader(token).kid === undefined
}

function isBadSignature(error: unknown): boolean {
  return error instanceof errors.JWSSignatureVerificationFailed
}
