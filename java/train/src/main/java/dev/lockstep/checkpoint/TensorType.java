package dev.lockstep.checkpoint;

/**
 * Element types of stored tensors. The constants' names are the spelling of the safetensors format,
 * and their order is that of its reference implementation, which sorts a file's tensors by it.
 *
 * <p>Source: the {@code Dtype} enumeration of <a
 * href="https://github.com/huggingface/safetensors">safetensors</a>, without types that neither
 * libtorch's models nor Lockstep's state use (below a byte, 8-bit floating point, complex).
 */
public enum TensorType {
  /** One byte, 0 or 1. */
  BOOL(1),
  /** Unsigned 8-bit integer. */
  U8(1),
  /** Signed 8-bit integer. */
  I8(1),
  /** Signed 16-bit integer. */
  I16(2),
  /** Unsigned 16-bit integer. */
  U16(2),
  /** IEEE half precision. */
  F16(2),
  /** bfloat16: the upper half of an IEEE single. */
  BF16(2),
  /** Signed 32-bit integer. */
  I32(4),
  /** Unsigned 32-bit integer. */
  U32(4),
  /** IEEE single precision. */
  F32(4),
  /** IEEE double precision. */
  F64(8),
  /** Signed 64-bit integer. */
  I64(8),
  /** Unsigned 64-bit integer. */
  U64(8);

  private final int bytes;

  TensorType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * Returns the size of one element.
   *
   * @return the size in bytes
   */
  public int bytes() {
    return bytes;
  }
}
