import {
  decodeProtectedHeader,
  errors,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose'

/**
 * Verifies a token by whichever of the keys signed it. Where several fit its header, each is tried.
 *
 * @throws {errors.JWKSNoMatchingKey} where none of them can have signed it; and what `jwtVerify` throws
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

/** Without a `kid`, a key that was replaced is known by its signature only. */
function namesNoKey(token: string): boolean {
  return decodeProtectedHeader(token).kid === undefined
}

function isBadSignature(error: unknown): boolean {
  return error instanceof errors.JWSSignatureVerificationFailed
}
