/**
 * Writes fields of Protocol Buffers' wire format, as far as spans need it. Each function gives the bytes of one field, and
 * nothing for a value that is absent.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
const none = Buffer.alloc(0)
const [varint, fixed64, delimited, fixed32] = [0, 1, 2, 5] as const

/** A message in a field: its own fields one after another. */
export function message(field: number, ...fields: readonly Uint8Array[]): Buffer {
  const length = fields.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat([tag(field, delimited), toVarint(length), ...fields])
}

/** Bytes. */
export function bytes(field: number, value: Uint8Array): Buffer {
  return value.length === 0 ? none : Buffer.concat([tag(field, delimited), toVarint(value.length), value])
}

/** Text, as UTF-8. */
export function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value.toWellFormed()))
}

/** A whole number that is not negative, below 2^53. */
export function uint(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, varint), toVarint(value)])
}

/** A floating-point number (`double`). */
export function double(field: number, value: number): Buffer {
  const written = Buffer.alloc(8)
  written.writeDoubleLE(value)
  return Buffer.concat([tag(field, fixed64), written])
}

/** A number of 64 bits (`fixed64`). */
export function uint64(field: number, value: bigint): Buffer {
  const written = Buffer.alloc(8)
  written.writeBigUInt64LE(value)
  return Buffer.concat([tag(field, fixed64), written])
}

/** A number of 32 bits (`fixed32`). */
export function uint32(field: number, value: number): Buffer {
  const written = Buffer.alloc(4)
  written.writeUInt32LE(value)
  return Buffer.concat([tag(field, fixed32), written])
}

function tag(field: number, type: number): Buffer {
  return toVarint(field * 8 + type)
}

function toVarint(value: number): Buffer {
  const written: number[] = []
  let rest = value
  while (rest >= 128) {
    written.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...written, rest])
}
