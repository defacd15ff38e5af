package dev.lockstep.comm;

import dev.lockstep.jni.Native;

/** Element types of buffers. */
public enum DataType {
  F32(Native.F32, 4),
  F64(Native.F64, 8),
  /** IEEE 754 binary16. */
  F16(Native.F16, 2),
  /** bfloat16: the upper half of a binary32. */
  BF16(Native.BF16, 2),
  I32(Native.I32, 4),
  I64(Native.I64, 8),
  U8(Native.U8, 1);

  final int code;
  private final int bytes;

  DataType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** The number that native kernels know this type by. */
  public int code() {
    return code;
  }
}
